/** The times of an event, as Segment's spec names them. What the sender gave is kept, whatever it is. */
export interface Timestamps {
  /** When it happened by the sender's clock, as given. */
  readonly originalTimestamp: unknown
  /** When it was sent by the sender's clock, as given; not there where the sender does not say. */
  readonly sentAt?: unknown
  /** When it happened, put right where the sender's clock is off. */
  readonly timestamp: unknown
  /** When it arrived here. ISO 8601. */
  readonly receivedAt: string
}

/** A clock off by less than this is taken as right: a slow network looks the same. */
const TOLERATED_SKEW_MS = 5 * 60_000

/**
 * The four times of an event. Where the sender's clock is off, `timestamp` is `receivedAt` less the time that the
 * event waited for being sent, both by the sender's clock: its error cancels out.
 *
 * An event that has both `timestamp` and `originalTimestamp` was put right before, by another collector: both stay.
 *
 * @param given - what the sender gave, as it came
 * @see https://segment.com/docs/connections/spec/common/#timestamps
 */
export function timestampsOf(
  given: { readonly timestamp?: unknown; readonly originalTimestamp?: unknown; readonly sentAt?: unknown },
  receivedAt: string,
): Timestamps {
  const { timestamp, originalTimestamp, sentAt } = given
  const happened = originalTimestamp ?? timestamp
  const isCorrected = isGiven(timestamp) && isGiven(originalTimestamp)
  const times = {
    originalTimestamp: happened ?? receivedAt,
    timestamp: isCorrected ? timestamp : corrected(happened, sentAt, receivedAt),
    receivedAt,
  }
  return isGiven(sentAt) ? Object.assign(times, { sentAt }) : times
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null
}

/** The sender's time of an event by our clock; ours where the sender gave none that is a time. */
function corrected(original: unknown, sentAt: unknown, receivedAt: string): unknown {
  const happened = timeOf(original)
  if (happened === undefined) return receivedAt
  const sent = timeOfSending(sentAt)
  const received = timeOfReceiving(receivedAt)
  if (sent === undefined || Math.abs(received - sent) <= TOLERATED_SKEW_MS) return original
  const time = new Date(received - (sent - happened))
  // Beyond what a Date can say.
  return Number.isNaN(time.getTime()) ? receivedAt : time.toISOString()
}

/** Dates as JSON has them: text, or milliseconds since 1970. */
function timeOf(value: unknown): number | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined
  const time = typeof value === 'string' ? Date.parse(value) : new Date(value).getTime()
  return Number.isNaN(time) ? undefined : time
}

// The events of a request share both.
const timeOfSending = rememberingLast(timeOf)
const timeOfReceiving = rememberingLast((receivedAt: string) => Date.parse(receivedAt))

function rememberingLast<T, R>(compute: (value: T) => R): (value: T) => R {
  let last: { readonly value: T; readonly result: R } | undefined
  return (value) => {
    if (last === undefined || last.value !== value) last = { value, result: compute(value) }
    return last.result
  }
}
