import { changeMessageVisibility } from './change-message-visibility.js'
import { changeMessageVisibilityBatch } from './change-message-visibility-batch.js'
import { createQueue } from './create-queue.js'
import { deleteMessage } from './delete-message.js'
import { deleteMessageBatch } from './delete-message-batch.js'
import { deleteQueue } from './delete-queue.js'
import { getQueueAttributes } from './get-queue-attributes.js'
import { getQueueUrl } from './get-queue-url.js'
import type { SqsOperation } from './operation.js'
import { receiveMessage } from './receive-message.js'
import { sendMessage } from './send-message.js'
import { sendMessageBatch } from './send-message-batch.js'

/** By the name that follows `AmazonSQS.` in the request's target. */
export const SQS_OPERATIONS: ReadonlyMap<string, SqsOperation> = new Map([
  ['ChangeMessageVisibility', changeMessageVisibility],
  ['ChangeMessageVisibilityBatch', changeMessageVisibilityBatch],
  ['CreateQueue', createQueue],
  ['DeleteMessage', deleteMessage],
  ['DeleteMessageBatch', deleteMessageBatch],
  ['DeleteQueue', deleteQueue],
  ['GetQueueAttributes', getQueueAttributes],
  ['GetQueueUrl', getQueueUrl],
  ['ReceiveMessage', receiveMessage],
  ['SendMessage', sendMessage],
  ['SendMessageBatch', sendMessageBatch],
])

/**
 * There is no permission for a batch: that of its single operation counts for both.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-batch-api-actions.html
 */
export function permissionFor(action: string): string {
  return `sqs:${action.replace(/Batch$/, '')}`
}
