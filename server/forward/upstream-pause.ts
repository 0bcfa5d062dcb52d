import { backoffMs } from '../../plugin/backoff.js'
import type { Clock } from '../../plugin/clock.js'

const BASE_MS = 1000
const MAX_MS = 60_000

/**
 * The pause that all requests to one upstream make after one that failed: as long as the upstream asks for, else with
 * full jitter and longer each time, until it takes something.
 *
 * Requests that were under way together make one round, of which the first failure alone counts: the others say
 * nothing new.
 */
export class UpstreamPause {
  readonly #clock: Clock
  #round = 0
  #failures = 0
  #until = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The round a request that begins now belongs to. */
  get round(): number {
    return this.#round
  }

  get waitMs(): number {
    return Math.max(0, this.#until - this.#clock.now())
  }

  /** @param askedMs - of Retry-After; it counts for every request of a round */
  begin(round: number, askedMs: number | undefined): void {
    const isFirst = round === this.#round
    if (isFirst) this.#round++
    if (askedMs === undefined && !isFirst) return
    const backoff = isFirst ? backoffMs(this.#failures++, this.#clock, BASE_MS, MAX_MS) : 0
    this.#until = Math.max(this.#until, this.#clock.now() + (askedMs ?? backoff))
  }

  /** The upstream took something. A pause that runs goes on: it was asked for after this was sent, perhaps. */
  progress(): void {
    this.#failures = 0
  }
}
