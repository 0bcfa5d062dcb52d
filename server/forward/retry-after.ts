import type { Clock } from '../../plugin/clock.js'
import { parseTime } from '../../plugin/event-time.js'

/** A wait that someone else asks for must not stop us for a day. */
const MAX_MS = 5 * 60_000

/**
 * The wait that a Retry-After header asks for in ms, 5 min at most; `undefined` where it asks for none.
 * Source: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 */
export function retryAfterMs(header: string | null, clock: Pick<Clock, 'wallTime'>): number | undefined {
  if (header === null) return undefined
  const seconds = /^\d+$/.test(header.trim()) ? Number(header) : undefined
  const ms = seconds === undefined ? (parseTime(header) ?? 0) - clock.wallTime() : seconds * 1000
  // It is no date, or one that is past.
  return ms > 0 ? Math.min(ms, MAX_MS) : undefined
}
