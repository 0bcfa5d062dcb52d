import { doEach, readEntries } from './batch.js'
import type { SqsOperation } from './operation.js'
import { requiredText } from './parameter-error.js'
import { queueOf } from './queue-of.js'

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessageBatch.html */
export const deleteMessageBatch: SqsOperation = (state, call) => {
  const queue = queueOf(state, call)
  const entries = readEntries(call.input, 'DeleteMessageBatchRequestEntry')
  return doEach(entries, call, (entry) => {
    queue.delete(requiredText(entry, 'ReceiptHandle'))
    return {}
  })
}
