import type { Clock } from './clock.js'

/** Ceiling of the first wait, in ms. */
export const FIRST_BACKOFF_MS = 100

/**
 * A wait in ms before try `attempt` (0 is the first retry): full jitter below a ceiling that doubles.
 * Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function backoffMs(
  attempt: number,
  clock: Pick<Clock, 'random'>,
  baseMs = FIRST_BACKOFF_MS,
  maxMs = 10_000,
): number {
  return clock.random() * Math.min(maxMs, baseMs * 2 ** Math.min(attempt, 30))
}
