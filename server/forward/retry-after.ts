import type { Clock } from '../../plugin/clock.js'

/** A wait that someone else asks for must not stop us for a day. */
const MAX_MS = 5 * 60_000

/**
 * The wait that a Retry-After header asks for in ms, 5 min at most; `undefined` where it asks for none.
 * Source: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 */
export function retryAfterMs(header: string | null, clock: Pick<Clock, 'wallTime'>): number | undefined {
  if (header === null) return undefined
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - clock.wallTime()
  // Not a date, or one that is past.
  return ms > 0 ? Math.min(ms, MAX_MS) : undefined
}
