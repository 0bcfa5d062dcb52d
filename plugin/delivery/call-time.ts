import type { PutResult } from '../aws/put.js'

/** A call is cut after so many times `requestTimeout` at most. */
const MOST_TIMES = 8

/** Of the time that the last call took, in what calls typically take. */
const NEWEST_SHARE = 0.3

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
  #limitMs: number
  #typicalMs = 0

  constructor({ requestTimeout, deliveryTimeout }: CallTimeOptions) {
    this.#requestTimeout = requestTimeout
    this.#limitMs = requestTimeout
    // Less than all of it: a new record is always tried.
    this.#mostTypicalMs = deliveryTimeout * 0.9
  }

  /** What calls that were answered have taken of late. */
  get typicalMs(): number {
    return Math.min(this.#typicalMs, this.#mostTypicalMs)
  }

  /**
   * How long a call that begins now may take: after a time-out twice as long as the one before.
   *
   * @param leftMs - until its answer comes too late
   */
  limitMs(leftMs: number): number {
    return Math.max(1, Math.min(this.#limitMs, leftMs))
  }

  /** A call of `limitMs` has ended, after `tookMs`. */
  note(result: PutResult, limitMs: number, tookMs: number): void {
    if ('refusal' in result && result.refusal.error.name === 'TimeoutError') {
      // Calls that were under way together count once, and one that was cut for its records' sake says nothing.
      if (limitMs >= this.#limitMs)
        this.#limitMs = Math.min(this.#limitMs * 2, this.#requestTimeout * MOST_TIMES)
      return
    }
    this.#limitMs = this.#requestTimeout
    if ('answers' in result) this.#typicalMs += (tookMs - this.#typicalMs) * NEWEST_SHARE
  }
}
