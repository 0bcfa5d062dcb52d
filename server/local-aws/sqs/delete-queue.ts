import type { SqsOperation } from './operation.js'
import { queueOf } from './queue-of.js'

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteQueue.html */
export const deleteQueue: SqsOperation = (state, call) => {
  state.queues.delete(queueOf(state, call), call.region)
  return { output: {} }
}
