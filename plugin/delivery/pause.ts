import { backoffMs, FIRST_BACKOFF_MS } from '../backoff.js'
import type { Clock } from '../clock.js'

/** Of the wait after the first failure, and at most, in ms. */
export interface PauseLimits {
  readonly baseMs?: number
  readonly maxMs?: number
}

/**
 * The pause after calls that failed: as long as whoever was called asks for, else with full jitter and longer each
 * time, until there is progress.
 *
 * Calls that were under way together make one round. Its first failure begins the pause; the others say nothing new,
 * or eight calls that one outage cuts would count as eight tries.
 */
export class Pause {
  readonly #clock: Clock
  readonly #limits: PauseLimits
  #round = 0
  #failures = 0
  #until = 0

  constructor(clock: Clock, limits: PauseLimits = {}) {
    this.#clock = clock
    this.#limits = limits
  }

  /** The round a call that begins now belongs to. */
  get round(): number {
    return this.#round
  }

  waitMs(now: number): number {
    return Math.max(0, this.#until - now)
  }

  /**
   * A call of `round` failed; says whether it is the first of its round.
   *
   * @param askedMs - what it asks to wait, which counts for every call of a round
   */
  begin(round: number, askedMs?: number): boolean {
    const isFirst = round === this.#round
    const backoff = isFirst ? this.#nextBackoff() : 0
    this.#until = Math.max(this.#until, this.#clock.now() + (askedMs ?? backoff))
    return isFirst
  }

  /** There was progress. A pause that runs goes on: it was asked for after this call went out, perhaps. */
  progress(): void {
    this.#failures = 0
  }

  /**
   * A call of `round` made progress: there is no reason to wait any more. Where that call went out before the pause
   * began it shows less, and the pause becomes as short as a first one.
   */
  end(round: number): void {
    this.progress()
    const { baseMs = FIRST_BACKOFF_MS } = this.#limits
    const latest = round === this.#round ? 0 : this.#clock.now() + baseMs
    this.#until = Math.min(this.#until, latest)
  }

  #nextBackoff(): number {
    this.#round++
    return backoffMs(this.#failures++, this.#clock, this.#limits.baseMs, this.#limits.maxMs)
  }
}
