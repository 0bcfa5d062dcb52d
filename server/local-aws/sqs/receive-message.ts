import { setTimeout as sleep } from 'node:timers/promises'
import type { Caller } from '../caller.js'
import type { Input } from '../input.js'
import { attributesNamed, md5OfAttributes, writeAttributes } from './message-attributes.js'
import type { SqsOperation } from './operation.js'
import { integerWithin } from './parameter-error.js'
import type { Queue, StoredMessage } from './queue.js'
import { MAX_VISIBILITY_SECONDS } from './queue-attributes.js'
import { queueOf } from './queue-of.js'

type Received = ReturnType<Queue['receive']>

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html */
export const receiveMessage: SqsOperation = async (state, call) => {
  const { input, caller } = call
  const queue = queueOf(state, call)
  const count =
    integerWithin(input, 'MaxNumberOfMessages', 1, 10, 'Must be between 1 and 10, if provided.') ?? 1
  const visibilitySeconds =
    integerWithin(input, 'VisibilityTimeout', 0, MAX_VISIBILITY_SECONDS) ?? queue.attributes.VisibilityTimeout
  const waitSeconds =
    integerWithin(input, 'WaitTimeSeconds', 0, 20) ?? queue.attributes.ReceiveMessageWaitTimeSeconds
  const receive = () => queue.receive(count, visibilitySeconds)
  const received = await poll(queue, receive, waitSeconds * 1000, state.closing)
  const messages = received.map(({ stored, receipt }) => ({
    ...written(stored, input, caller),
    ReceiptHandle: receipt,
  }))
  return { output: messages.length > 0 ? { Messages: messages } : {} }
}

/** Waits for something to receive, on the clock of this machine: `now` may stand still. */
async function poll(queue: Queue, receive: () => Received, waitMs: number, closing: AbortSignal) {
  const deadline = performance.now() + waitMs
  for (;;) {
    const received = receive()
    const left = deadline - performance.now()
    if (received.length > 0 || left <= 0) return received
    const signal = AbortSignal.any([closing, queue.change])
    try {
      await sleep(Math.ceil(Math.min(left, queue.nextVisibleInMs() + 1)), undefined, { signal })
    } catch (error) {
      if (closing.aborted) throw error
    }
  }
}

function written({ id, message, ...stored }: StoredMessage, input: Input, caller: Caller) {
  const attributes = attributesNamed(message.attributes, input.texts('MessageAttributeNames') ?? [])
  const system: Readonly<Record<string, string>> = {
    SenderId: caller.userId,
    SentTimestamp: String(stored.sentAt),
    ApproximateReceiveCount: String(stored.receiveCount),
    ApproximateFirstReceiveTimestamp: String(stored.firstReceivedAt),
    ...message.systemAttributes,
  }
  const wanted = [
    ...(input.texts('MessageSystemAttributeNames') ?? []),
    ...(input.texts('AttributeNames') ?? []),
  ]
  const given = Object.entries(system).filter(([name]) => wanted.includes('All') || wanted.includes(name))
  return {
    MessageId: id,
    Body: message.body,
    MD5OfBody: message.md5OfBody,
    ...(given.length > 0 && { Attributes: Object.fromEntries(given) }),
    ...(attributes.size > 0 && {
      MessageAttributes: writeAttributes(attributes),
      MD5OfMessageAttributes: md5OfAttributes(attributes),
    }),
  }
}
