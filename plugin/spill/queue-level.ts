import type { Clock } from '../clock.js'
import { byteLength } from './lines.js'
import type { SpillStats } from './spill.js'

/** What is known of records that went into the queue or came out of it here. */
interface Passed {
  readonly records: number
  readonly bytes: number
}

/**
 * How full the queue is. SQS tells the number of messages, of all processes' together and roughly; their records and
 * bytes are reckoned from the messages that passed here.
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
  /** When the oldest record that may still be there was spilled, of those that passed here. */
  #oldestTime: number | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get messages(): number {
    return Math.max(0, this.#counted + this.#change)
  }

  sent(passed: Passed): void {
    this.#change++
    this.#noteTime(this.#clock.wallTime())
    this.#notePassed(passed)
  }

  received(records: readonly Uint8Array[], time: number): void {
    this.#noteTime(time)
    this.#notePassed({ records: records.length, bytes: byteLength(records) })
  }

  deleted(messages: number): void {
    this.#change -= messages
    if (this.messages === 0) this.#oldestTime = undefined
  }

  /** Before SQS is asked for its count. */
  beginLook(): void {
    this.#counted = this.messages
    this.#change = 0
  }

  endLook(attributes: Readonly<Record<string, string>>): void {
    this.#counted = messagesIn(attributes)
    if (this.messages === 0) this.#oldestTime = undefined
  }

  stats(): SpillStats {
    const { messages } = this
    const each = (passed: number, atLeast: number) =>
      this.#passedMessages > 0 ? Math.round((messages * passed) / this.#passedMessages) : messages * atLeast
    const oldestAgeMs =
      this.#oldestTime === undefined ? undefined : Math.max(0, this.#clock.wallTime() - this.#oldestTime)
    return {
      files: messages,
      records: Math.max(messages, each(this.#passedRecords, 1)),
      bytes: each(this.#passedBytes, 0),
      oldestAgeMs,
    }
  }

  #notePassed({ records, bytes }: Passed): void {
    this.#passedMessages++
    this.#passedRecords += records
    this.#passedBytes += bytes
  }

  #noteTime(time: number): void {
    this.#oldestTime = Math.min(this.#oldestTime ?? time, time)
  }
}

/** How many messages a queue holds by its attributes, about: those that wait, are with a receiver, or are delayed. */
export function messagesIn(attributes: Readonly<Record<string, string>>): number {
  return ['', 'NotVisible', 'Delayed']
    .map((state) => Number(attributes[`ApproximateNumberOfMessages${state}`] ?? 0))
    .reduce((sum, count) => sum + count, 0)
}
