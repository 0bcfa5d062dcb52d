import type { Clock } from '../../plugin/clock.js'

/** What a limit counts. */
export type RateLimitUnit = 'requests' | 'events'

export interface RateLimitOptions {
  /** How much is allowed in a window. */
  readonly limit: number
  readonly windowMs: number
  /** @default 'requests' */
  readonly unit?: RateLimitUnit | undefined
}

/** How a limit stands after somebody has asked. */
export interface RateLimitState {
  readonly isAllowed: boolean
  readonly limit: number
  /** How much more is allowed in this window. */
  readonly remaining: number
  /** Until the next window: 1 or more, so that nobody is told to come back at once. */
  readonly resetSeconds: number
  readonly windowSeconds: number
  readonly unit?: RateLimitUnit | undefined
}

/**
 * Allows so much in a window of time. A window starts with the first that is taken after the one before it is over.
 * A limit holds a few numbers, however many ask.
 *
 * One batch can hold more events than a whole window allows. It would be refused for ever, so a fresh window lets it in
 * and lasts longer in proportion: over time nobody gets more than the limit. While smaller batches keep every window
 * busy, there is no fresh one: after it was refused once, such a batch is let in as soon as anything remains.
 */
export class RateLimit {
  readonly #limit: number
  readonly #windowMs: number
  readonly #unit: RateLimitUnit | undefined
  readonly #clock: Pick<Clock, 'now'>
  #endsAt = Number.NEGATIVE_INFINITY
  #taken = 0
  /** From when on a batch larger than the limit need not find the window fresh. */
  #overdrawsFrom = Number.POSITIVE_INFINITY

  constructor({ limit, windowMs, unit }: RateLimitOptions, clock: Pick<Clock, 'now'>) {
    this.#limit = limit
    this.#windowMs = windowMs
    this.#unit = unit
    this.#clock = clock
  }

  /** How the limit stands now. */
  get state(): RateLimitState {
    return this.#stateAs(true)
  }

  /** Whether {@link take} would allow so many now. */
  allows(count: number): boolean {
    const taken = this.#takenNow
    if (count <= this.#limit) return taken + count <= this.#limit
    return taken === 0 || (taken < this.#limit && this.#clock.now() >= this.#overdrawsFrom)
  }

  /** Takes so many, or nothing where they are not allowed. */
  take(count = 1): RateLimitState {
    const isAllowed = this.allows(count)
    if (isAllowed) this.#charge(count)
    else if (count > this.#limit) this.#overdrawsFrom = Math.min(this.#overdrawsFrom, this.#endsAt)
    return this.#stateAs(isAllowed)
  }

  get #takenNow(): number {
    return this.#clock.now() >= this.#endsAt ? 0 : this.#taken
  }

  #charge(count: number): void {
    const now = this.#clock.now()
    if (now >= this.#endsAt) {
      this.#endsAt = now + this.#windowMs
      this.#taken = 0
    }
    this.#taken += count
    if (count <= this.#limit) return
    this.#overdrawsFrom = Number.POSITIVE_INFINITY
    const startedAt = this.#endsAt - this.#windowMs
    this.#endsAt = startedAt + (this.#windowMs * this.#taken) / this.#limit
  }

  #stateAs(isAllowed: boolean): RateLimitState {
    const left = this.#endsAt - this.#clock.now()
    return {
      isAllowed,
      limit: this.#limit,
      remaining: Math.max(0, this.#limit - this.#takenNow),
      resetSeconds: wholeSeconds(left > 0 ? left : this.#windowMs),
      windowSeconds: wholeSeconds(this.#windowMs),
      unit: this.#unit,
    }
  }
}

/**
 * What senders are told of their limits: the headers that express-rate-limit calls `draft-7`, and when to come back.
 *
 * @param all - every limit that applies, `state` among them
 * @see https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers-07
 */
export function rateLimitHeaders(
  state: RateLimitState,
  all: readonly RateLimitState[] = [state],
): Record<string, string> {
  const { isAllowed, limit, remaining, resetSeconds } = state
  return {
    'RateLimit-Policy': all.map(policyOf).join(', '),
    RateLimit: `limit=${limit}, remaining=${remaining}, reset=${resetSeconds}`,
    ...(isAllowed ? {} : { 'Retry-After': String(resetSeconds) }),
  }
}

/** Senders expect a limit of requests. The draft takes parameters other than `w` as comments. */
function policyOf({ limit, windowSeconds, unit }: RateLimitState): string {
  return `${limit};w=${windowSeconds}${unit === 'events' ? ';unit="events"' : ''}`
}

function wholeSeconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1000))
}
