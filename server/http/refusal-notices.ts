import type { Clock } from '../../plugin/clock.js'
import type { Logger } from '../../plugin/logger.js'
import { MinuteNotices } from '../minute-notices.js'
import type { HttpProblem } from './http-problem.js'

/**
 * Tells the log why requests were refused for good: a mistyped write key would otherwise show at its sender alone.
 * Causes are the codes of problems, a few dozen at most. SECURITY: their messages hold nothing of the request.
 */
export class RefusalNotices {
  readonly #notices: MinuteNotices

  constructor(logger: Logger, clock: Clock) {
    this.#notices = new MinuteNotices(logger, clock)
  }

  note({ status, code, message }: HttpProblem): void {
    this.#notices.note(code, (count) => `Refused ${count} request(s) with ${status} ${code}: ${message}`)
  }

  /** Tells what is still untold. */
  flush(): void {
    this.#notices.flush()
  }
}
