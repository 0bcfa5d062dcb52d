import { doEach, readEntries } from './batch.js'
import { applyVisibility } from './change-message-visibility.js'
import type { SqsOperation } from './operation.js'
import { queueOf } from './queue-of.js'

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibilityBatch.html */
export const changeMessageVisibilityBatch: SqsOperation = (state, call) => {
  const queue = queueOf(state, call)
  const entries = readEntries(call.input, 'ChangeMessageVisibilityBatchRequestEntry')
  return doEach(entries, call, (entry) => {
    applyVisibility(queue, entry)
    return {}
  })
}
