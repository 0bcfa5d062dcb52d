import type { PutResult } from '../aws/put.js'

/** A call is cut after so many times `requestTimeout` at most. */
const MOST_TIMES = 8

/** Of the time that the last call took, in what calls typically take. */
const NEWEST_SHARE = 0.3

/** How much of the longest time is left after each call that took less. */
const LONGEST_SHARE = 0.9

export interface CallTimeOptions {
  /** In ms. */
  readonly requestTimeout: number
  readonly deliveryTimeout: number
}

/**
 * How long the calls of a stream take, and how long the next one may. A call that is cut may have succeeded, and is made
 * again: where AWS is only slow, each cut makes a duplicate.
 */
export class CallTime {
  readonly #requestTimeout: number
  readonly #mostTypicalMs: number
  /** Grows with each time-out in a row. */
  #patienceMs: number
  #typicalMs = 0
  #longestMs = 0

  constructor({ requestTimeout, deliveryTimeout }: CallTimeOptions) {
    this.#requestTimeout = requestTimeout
    this.#patienceMs = requestTimeout
    // Less than all of it: a new record is always tried.
    this.#mostTypicalMs = deliveryTimeout * 0.9
  }

  /** What calls that were answered have taken of late. */
  get typicalMs(): number {
    return Math.min(this.#typicalMs, this.#mostTypicalMs)
  }

  /**
   * How long a call that begins now may take: `requestTimeout`, more after time-outs, and twice what answers have taken
   * of late.
   *
   * @param leftMs - until its answer comes too late
   */
  limitMs(leftMs: number): number {
    const limit = Math.min(this.#wantedMs, leftMs)
    return Math.max(1, Math.ceil(limit))
  }

  /** A call of `limitMs` has ended, after `tookMs`. */
  note(result: PutResult, limitMs: number, tookMs: number): void {
    if ('refusal' in result && result.refusal.error.name === 'TimeoutError') return this.#noteTimeout(limitMs)
    this.#patienceMs = this.#requestTimeout
    if (!('answers' in result)) return
    this.#typicalMs += (tookMs - this.#typicalMs) * NEWEST_SHARE
    this.#longestMs = Math.max(tookMs, this.#longestMs * LONGEST_SHARE)
  }

  get #wantedMs(): number {
    const slow = Math.max(this.#patienceMs, 2 * this.#longestMs)
    return Math.min(slow, this.#requestTimeout * MOST_TIMES)
  }

  /** Calls that were under way together count once, and one that was cut early, for its records' sake, does not. */
  #noteTimeout(limitMs: number): void {
    if (limitMs < this.#patienceMs * 0.9) return
    this.#patienceMs = Math.min(this.#patienceMs * 2, this.#requestTimeout * MOST_TIMES)
  }
}
