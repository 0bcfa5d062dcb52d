import type { Clock } from '../clock.js'
import { MessageTimes, type TimedMessage } from './message-times.js'
import type { SpillStats } from './spill.js'

/** A message that went into the queue or came out of it here. */
interface Passed extends TimedMessage {
  readonly records: number
  readonly bytes: number
}

/**
 * How full the queue is. SQS tells the number of messages, of all processes' together and roughly; their records and
 * bytes are reckoned from the messages that passed here, and so is how long they have waited.
 */
export class QueueLevel {
  readonly #clock: Clock
  /** By SQS, at the last look. */
  #counted = 0
  /** Sent less deleted here, since the last look began. */
  #change = 0
  #passedMessages = 0
  #passedRecords = 0
  #passedBytes = 0
  readonly #times: MessageTimes

  constructor(clock: Clock) {
    this.#clock = clock
    this.#times = new MessageTimes(clock)
  }

  get messages(): number {
    return Math.max(0, this.#counted + this.#change)
  }

  sent(message: Passed): void {
    this.#change++
    this.#notePassed(message)
  }

  received(message: Passed): void {
    this.#notePassed(message)
  }

  /** These were received here and are still to be delivered. */
  held(messages: readonly TimedMessage[]): void {
    for (const message of messages) this.#times.held(message)
  }

  deleted(messages: readonly TimedMessage[]): void {
    this.#change -= messages.length
    for (const message of messages) this.#times.deleted(message)
  }

  /** Before SQS is asked for its count. */
  beginLook(): void {
    this.#counted = this.messages
    this.#change = 0
  }

  endLook(attributes: Readonly<Record<string, string>>): void {
    this.#counted = messagesIn(attributes)
    this.#times.counted({ messages: this.messages, waiting: countIn(attributes, ['', 'Delayed']) })
  }

  stats(): SpillStats {
    const { messages } = this
    const each = (passed: number, atLeast: number) =>
      this.#passedMessages > 0 ? Math.round((messages * passed) / this.#passedMessages) : messages * atLeast
    const oldest = messages > 0 ? this.#times.oldest() : undefined
    const oldestAgeMs = oldest === undefined ? undefined : Math.max(0, this.#clock.wallTime() - oldest)
    return {
      files: messages,
      records: Math.max(messages, each(this.#passedRecords, 1)),
      bytes: each(this.#passedBytes, 0),
      oldestAgeMs,
    }
  }

  #notePassed(message: Passed): void {
    this.#passedMessages++
    this.#passedRecords += message.records
    this.#passedBytes += message.bytes
    this.#times.seen(message)
  }
}

/** How many messages a queue holds by its attributes, about: those that wait, are with a receiver, or are delayed. */
export function messagesIn(attributes: Readonly<Record<string, string>>): number {
  return countIn(attributes, ['', 'NotVisible', 'Delayed'])
}

function countIn(attributes: Readonly<Record<string, string>>, states: readonly string[]): number {
  return states
    .map((state) => Number(attributes[`ApproximateNumberOfMessages${state}`] ?? 0))
    .reduce((sum, count) => sum + count, 0)
}
