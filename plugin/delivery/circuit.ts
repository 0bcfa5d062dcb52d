import { backoffMs } from '../backoff.js'
import type { Clock } from '../clock.js'

export type CircuitState = 'closed' | 'open' | 'half-open'

const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 30_000

/**
 * Stops calls that are bound to fail. `open`: none goes out. After a pause `half-open`: one call at a time, as a
 * probe, whose success closes the circuit and whose failure opens it for longer.
 */
export class Circuit {
  readonly #clock: Clock
  #probeAt: number | undefined
  #attempts = 0
  #cause: Error | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get state(): CircuitState {
    if (this.#probeAt === undefined) return 'closed'
    return this.#clock.now() < this.#probeAt ? 'open' : 'half-open'
  }

  /** Why the circuit is not closed. */
  get cause(): Error | undefined {
    return this.#cause
  }

  /** Further failures of calls that were under way when it opened change nothing. */
  open(cause: Error): void {
    if (this.state === 'open') return
    // Half of the pause is fixed: a jitter near nothing would make the probe no pause at all.
    const pause = backoffMs(this.#attempts, this.#clock, FIRST_PAUSE_MS, LONGEST_PAUSE_MS)
    this.#probeAt = this.#clock.now() + FIRST_PAUSE_MS / 2 + pause
    this.#attempts++
    this.#cause = cause
  }

  close(): void {
    this.#probeAt = undefined
    this.#attempts = 0
    this.#cause = undefined
  }
}
