import type { SqsOperation } from './operation.js'
import { requiredText } from './parameter-error.js'
import { queueOf } from './queue-of.js'

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html */
export const deleteMessage: SqsOperation = (state, call) => {
  queueOf(state, call).delete(requiredText(call.input, 'ReceiptHandle'))
  return { output: {} }
}
