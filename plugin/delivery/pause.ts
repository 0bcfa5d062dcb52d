import { backoffMs } from '../backoff.js'
import type { Clock } from '../clock.js'

/**
 * The pause after calls that failed: with full jitter, longer each time, until there is progress.
 *
 * Calls that were under way together make one round. Its first failure begins the pause; the others say nothing new,
 * or eight calls that one outage cuts would count as eight tries.
 */
export class Pause {
  readonly #clock: Clock
  #round = 0
  #failures = 0
  #until = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The round a call that begins now belongs to. */
  get round(): number {
    return this.#round
  }

  waitMs(now: number): number {
    return Math.max(0, this.#until - now)
  }

  /** A call of `round` failed; says whether it is the first of its round. */
  begin(round: number): boolean {
    if (round !== this.#round) return false
    this.#round++
    this.#until = this.#clock.now() + backoffMs(this.#failures++, this.#clock)
    return true
  }

  /** There was progress. */
  end(): void {
    this.#failures = 0
    this.#until = 0
  }
}
