import { readMessage, requireSize } from './message.js'
import type { SqsOperation } from './operation.js'
import { queueOf } from './queue-of.js'
import { sentMessage } from './sent-message.js'

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html */
export const sendMessage: SqsOperation = (state, call) => {
  const queue = queueOf(state, call)
  const message = readMessage(call.input, call.traceHeader)
  requireSize(message, queue.attributes.MaximumMessageSize)
  return { output: sentMessage(queue.send(message), message) }
}
