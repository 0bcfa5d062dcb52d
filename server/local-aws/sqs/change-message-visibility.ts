import type { Input } from '../input.js'
import type { SqsOperation } from './operation.js'
import { integerWithin, missingParameter, requiredText } from './parameter-error.js'
import type { Queue } from './queue.js'
import { MAX_VISIBILITY_SECONDS } from './queue-attributes.js'
import { queueOf } from './queue-of.js'

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html */
export const changeMessageVisibility: SqsOperation = (state, call) => {
  applyVisibility(queueOf(state, call), call.input)
  return { output: {} }
}

/** @throws AwsError */
export function applyVisibility(queue: Queue, input: Input): void {
  const receipt = requiredText(input, 'ReceiptHandle')
  const seconds = integerWithin(input, 'VisibilityTimeout', 0, MAX_VISIBILITY_SECONDS)
  if (seconds === undefined) throw missingParameter('VisibilityTimeout')
  queue.changeVisibility(receipt, seconds)
}
