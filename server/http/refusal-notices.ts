import type { Clock } from '../../plugin/clock.js'
import type { Logger } from '../../plugin/logger.js'
import { MinuteNotices } from '../minute-notices.js'
import type { HttpProblem } from './http-problem.js'

/** What the log has by itself: a line when the process ends, and one for each defect. */
const TOLD_ELSEWHERE: ReadonlySet<string> = new Set(['closing', 'internal_error'])

/** What the operator can do, by the problem's code. The answer does not say it: senders cannot. */
const FIXES: ReadonlyMap<string, string> = new Map([
  ['memory_full', 'raise maxBufferedBytes to take more'],
  ['rate_limited', "raise the source's rateLimit to take more"],
  ['dead_letters_full', 'replay its dead letters and remove their files, or move them away'],
])

/**
 * Tells the log why requests were refused, for good or for now: a mistyped write key, or a limit that is too low, would
 * otherwise show at its sender alone. Causes are the codes of problems, a few dozen at most, by source. SECURITY: their
 * messages hold nothing of the request.
 */
export class RefusalNotices {
  readonly #notices: MinuteNotices

  constructor(logger: Logger, clock: Clock) {
    this.#notices = new MinuteNotices(logger, clock)
  }

  /** @param source - the source's name, where the request came so far */
  note({ status, code, message, isForNow }: HttpProblem, source?: string): void {
    if (TOLD_ELSEWHERE.has(code)) return
    const what = isForNow ? 'Turned away' : 'Refused'
    const whose = source === undefined ? '' : ` of ${source}`
    const help = FIXES.get(code)
    const fix = help === undefined ? '' : ` (${help})`
    const wording = (count: number) =>
      `${what} ${count} request(s)${whose} with ${status} ${code}: ${message}${fix}`
    this.#notices.note(JSON.stringify([code, source]), wording)
  }

  /** Tells what is still untold. */
  flush(): void {
    this.#notices.flush()
  }
}
