import type { Clock } from '../clock.js'
import { VISIBILITY_SECONDS } from './held-messages.js'

/** What was seen so lately is there, whatever SQS counts: it does so with a delay, of a minute at most mostly. */
const SURE_MS = VISIBILITY_SECONDS * 1000
/** Another process that lives gives back what it cannot deliver in less, and then it can be seen here. */
const UNSEEN_MS = 60 * 60_000
const MAX_KNOWN = 100_000

/** A message, by the ID that SQS gave it, and when the oldest record in it was spilled, in ms since 1970. */
export interface TimedMessage {
  readonly id: string
  readonly time: number
}

/** What SQS tells of a queue. */
export interface QueueCount {
  /** All that are not deleted. */
  readonly messages: number
  /** Those that nobody has received. */
  readonly waiting: number
}

interface Known {
  readonly time: number
  /** When there was last a sign of it, by `now()`. */
  readonly seenAt: number
}

/**
 * How long what is in the queue has waited, of the messages that were sent or received here.
 *
 * Each counts until it is deleted here. What another process deletes nobody tells: where SQS counts fewer messages than
 * are known, or where all that it counts are with their receivers for long, those without a sign of life for longest
 * are taken for deleted. Should one of them wait all the same, it counts again when it is received.
 */
export class MessageTimes {
  readonly #clock: Pick<Clock, 'now'>
  readonly #maxKnown: number
  /** By their IDs, those without a sign of life for longest first. */
  readonly #known = new Map<string, Known>()
  /** The oldest of those there was no room for, which stands for all of them. */
  #unnamed: Known | undefined

  constructor(clock: Pick<Clock, 'now'>, maxKnown = MAX_KNOWN) {
    this.#clock = clock
    this.#maxKnown = maxKnown
  }

  /** It is in the queue now. */
  seen({ id, time }: TimedMessage): void {
    const seenAt = this.#clock.now()
    const isNew = !this.#known.delete(id)
    if (isNew && this.#known.size >= this.#maxKnown)
      this.#unnamed = { time: Math.min(time, this.#unnamed?.time ?? time), seenAt }
    else this.#known.set(id, { time, seenAt })
  }

  /** It is held here: that keeps it known, and makes none known that was deleted meanwhile. */
  held({ id }: Pick<TimedMessage, 'id'>): void {
    const known = this.#known.get(id)
    if (known) this.seen({ id, time: known.time })
  }

  deleted({ id }: Pick<TimedMessage, 'id'>): void {
    this.#known.delete(id)
  }

  counted({ messages, waiting }: QueueCount): void {
    const now = this.#clock.now()
    const isLost = ({ seenAt }: Known) => waiting === 0 && seenAt <= now - UNSEEN_MS
    for (const [id, known] of this.#known) {
      const isTooMany = this.#known.size > messages && known.seenAt <= now - SURE_MS
      if (!isTooMany && !isLost(known)) break
      this.#known.delete(id)
    }
    if (this.#unnamed && (this.#known.size >= messages || isLost(this.#unnamed))) this.#unnamed = undefined
  }

  /** When the oldest record was spilled that may still wait, of those that are known. */
  oldest(): number | undefined {
    let oldest = this.#unnamed?.time
    for (const { time } of this.#known.values()) if (oldest === undefined || time < oldest) oldest = time
    return oldest
  }
}
