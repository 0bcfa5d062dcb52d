import type { Clock } from '../../plugin/clock.js'

export interface RateLimitOptions {
  /** How many are allowed in a window. */
  readonly limit: number
  readonly windowMs: number
}

/** How a limit stands after one more has asked. */
export interface RateLimitState {
  readonly isAllowed: boolean
  readonly limit: number
  /** How many more are allowed in this window. */
  readonly remaining: number
  /** Until the next window: 1 or more, so that nobody is told to come back at once. */
  readonly resetSeconds: number
  readonly windowSeconds: number
}

/**
 * Allows so many in a window of time. A window starts with the first that is taken after the one before it is over.
 * It holds two numbers, however many ask.
 */
export class RateLimit {
  readonly #limit: number
  readonly #windowMs: number
  readonly #clock: Pick<Clock, 'now'>
  #endsAt = Number.NEGATIVE_INFINITY
  #taken = 0

  constructor({ limit, windowMs }: RateLimitOptions, clock: Pick<Clock, 'now'>) {
    this.#limit = limit
    this.#windowMs = windowMs
    this.#clock = clock
  }

  /** Takes one, or nothing where there is none left. */
  take(): RateLimitState {
    const now = this.#clock.now()
    if (now >= this.#endsAt) {
      this.#endsAt = now + this.#windowMs
      this.#taken = 0
    }
    const isAllowed = this.#taken < this.#limit
    if (isAllowed) this.#taken++
    return {
      isAllowed,
      limit: this.#limit,
      remaining: this.#limit - this.#taken,
      resetSeconds: wholeSeconds(this.#endsAt - now),
      windowSeconds: wholeSeconds(this.#windowMs),
    }
  }
}

/**
 * What senders are told of their limit: the headers that express-rate-limit calls `draft-7`, and when to come back.
 *
 * @see https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers-07
 */
export function rateLimitHeaders(state: RateLimitState): Record<string, string> {
  const { isAllowed, limit, remaining, resetSeconds, windowSeconds } = state
  return {
    'RateLimit-Policy': `${limit};w=${windowSeconds}`,
    RateLimit: `limit=${limit}, remaining=${remaining}, reset=${resetSeconds}`,
    ...(isAllowed ? {} : { 'Retry-After': String(resetSeconds) }),
  }
}

function wholeSeconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1000))
}
