import { AwsError } from '../aws-error.js'
import { doEach, readEntries } from './batch.js'
import { messageBytes, readMessage, requireSize } from './message.js'
import type { SqsOperation } from './operation.js'
import { MAX_MESSAGE_BYTES } from './queue-attributes.js'
import { queueOf } from './queue-of.js'
import { sentMessage } from './sent-message.js'

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html */
export const sendMessageBatch: SqsOperation = (state, call) => {
  const queue = queueOf(state, call)
  const entries = readEntries(call.input, 'SendMessageBatchRequestEntry')
  const bytes = entries.reduce((sum, entry) => sum + messageBytes(entry), 0)
  if (bytes > MAX_MESSAGE_BYTES) {
    throw new AwsError(
      'BatchRequestTooLong',
      400,
      `Batch requests cannot be longer than ${MAX_MESSAGE_BYTES} bytes. You have sent ${bytes} bytes.`,
    )
  }
  return doEach(entries, call, (entry) => {
    const message = readMessage(entry)
    requireSize(message, queue.attributes.MaximumMessageSize, true)
    return sentMessage(queue.send(message), message)
  })
}
