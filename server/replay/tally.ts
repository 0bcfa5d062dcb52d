import type { ErrorCode } from '../../plugin/errors.js'
import type { PlanFailure, SkipReason } from './plan.js'
import type { LineProblem } from './replay-event.js'

export type FailureCode = ErrorCode | PlanFailure | LineProblem | 'too long' | 'unreadable file'

/** What a line's failure means, where its name alone does not tell. */
const HINTS: ReadonlyMap<FailureCode, string> = new Map([
  ['malformed', ', as it is no JSON object; give one event a line'],
  ['unreadable body', ', as its sender wrote no valid JSON; mend `data.body` and send it to `data.endpoint`'],
  ['no source', ', as it names none; give one with --source'],
])

/** Counts of a replay. Of each line that was read one of `delivered`, `skipped` and `failed` grows. */
export class Tally {
  files = 0
  read = 0
  /** Handed to delivery; of a dry run those that would be. */
  sent = 0
  delivered = 0
  readonly skipped = new Map<SkipReason, number>()
  readonly failed = new Map<FailureCode, number>()
  /** Records by `source → stream`. */
  readonly records = new Map<string, number>()

  get failures(): number {
    return sum(this.failed)
  }

  get skips(): number {
    return sum(this.skipped)
  }
}

export function addTo<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

function sum(counts: ReadonlyMap<unknown, number>): number {
  return [...counts.values()].reduce((total, it) => total + it, 0)
}

/**
 * A failure as it is logged of a line.
 *
 * @param why - what the line itself says is wrong
 */
export function worded(code: FailureCode, why?: string): string {
  return `${code}${why === undefined ? '' : ` (${why})`}${HINTS.get(code) ?? ''}`
}
