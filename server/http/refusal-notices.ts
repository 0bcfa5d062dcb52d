import type { Clock } from '../../plugin/clock.js'
import type { Logger } from '../../plugin/logger.js'
import type { HttpProblem } from './http-problem.js'

/** A cause of refusals is told of at most this often: anyone can send what is refused. */
const INTERVAL_MS = 60_000

/**
 * Tells the log why requests were refused for good: a mistyped write key would otherwise show at its sender alone.
 * Causes are the codes of problems, a few dozen at most. SECURITY: their messages hold nothing of the request.
 */
export class RefusalNotices {
  readonly #logger: Logger
  readonly #clock: Clock
  readonly #causes = new Map<string, { toldAt: number; untold: number }>()

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger
    this.#clock = clock
  }

  note({ status, code, message }: HttpProblem): void {
    const now = this.#clock.now()
    const cause = this.#causes.get(code) ?? { toldAt: Number.NEGATIVE_INFINITY, untold: 0 }
    this.#causes.set(code, cause)
    cause.untold++
    if (now - cause.toldAt < INTERVAL_MS) return
    this.#logger.warn(`Refused ${cause.untold} request(s) with ${status} ${code}: ${message}`)
    cause.toldAt = now
    cause.untold = 0
  }
}
