import { isoTime } from '../../plugin/event-time.js'

/** What the sender says of an event's times, as it came. */
export interface GivenTimes {
  readonly timestamp?: unknown
  readonly originalTimestamp?: unknown
  /** Of the event, or else of its batch. */
  readonly sentAt?: unknown
}

/** The times of a record, as Segment's spec names them: all but the original in ISO 8601 with ms and `Z`. */
export interface Timestamps {
  /** When the event happened by the sender's clock, as given. */
  readonly originalTimestamp: unknown
  /** When it was sent by the sender's clock. A record has none where the sender gave none that is a time. */
  readonly sentAt?: string
  /** When it happened, corrected where the sender's clock is wrong. */
  readonly timestamp: string
  /** When it arrived here. */
  readonly receivedAt: string
}

/** What becomes of `timestamp`: corrected by Segment's formula, or the sender's own time. */
export type TimestampPolicy = 'segment' | 'keep'

export interface TimestampOptions {
  /** `context.library.name` of the event. */
  readonly library?: unknown
  /** The source's setting. @default 'segment' */
  readonly timestamps?: TimestampPolicy
}

/** A clock off by less than this counts as right: a slow network looks the same. */
const TOLERATED_SKEW_MS = 5 * 60_000

/**
 * The libraries, by `context.library.name` in lower case, that stamp `sentAt` once and send the same body again until
 * it is taken: a `sentAt` in the past says that the body waited, not that the clock is slow. Segment's spec names the
 * first three, and has their events re-dated: https://segment.com/docs/connections/spec/common/#sentat
 *
 * All others of Segment stamp at each try, by their sources of 2026: analytics.js, `@segment/analytics-node`, React
 * Native, Flutter, analytics-ios, analytics-android, Python, Ruby, and Xamarin, which tries once.
 */
const STAMPING_ONCE: ReadonlySet<string> = new Set([
  // When it closes a batch file, which is sent when the phone is online: core/utilities/{EventsFileManager,StorageImpl}.kt
  'analytics-kotlin',
  // The same: Sources/Segment/Utilities/Storage/Types/DirectoryStore.swift, `finishFile`
  'analytics-swift',
  // The same, with Unity and .NET: Segment/Analytics/Utilities/Storage.cs, `End`
  'analytics-csharp',
  // When it makes a batch, which it tries for up to hours: analytics-core/messages/Batch.java
  'analytics-java',
  // When it makes a batch, which it tries ten times: analytics.go, `send`
  'analytics-go',
  // Before its first try, of a body that it sends again as it is: Analytics/Request/BlockingRequestHandler.cs
  'analytics.net',
  // The same: lib/Consumer/QueueConsumer.php, `payload`
  'analytics-php',
  // The same, up to version 6: index.js, `flush`. Its successor is `@segment/analytics-node`.
  'analytics-node',
  // The same, of each event: https://github.com/stueccles/analytics-elixir, lib/segment/client/http.ex
  'analytics_elixir',
])

/** No name of a library is longer. */
const MAX_NAME_LENGTH = 64

/**
 * The four times of an event. Where the sender's clock is wrong, `timestamp` is `receivedAt` less the time that the
 * event waited to be sent, both by the sender's clock, whose error cancels out.
 *
 * An event that has both `timestamp` and `originalTimestamp` was corrected before, by another collector: both stay.
 *
 * @param receivedAt - ISO 8601 with ms and `Z`
 * @see https://segment.com/docs/connections/spec/common/#timestamps
 */
export function timestampsOf(
  given: GivenTimes,
  receivedAt: string,
  options: TimestampOptions = {},
): Timestamps {
  const { timestamp, originalTimestamp, sentAt } = given
  const original = originalTimestamp ?? timestamp ?? undefined
  const isCorrected = isGiven(timestamp) && isGiven(originalTimestamp)
  const sent = timeOfSending(sentAt)
  const times = {
    originalTimestamp: original ?? receivedAt,
    timestamp:
      (isCorrected ? isoTime(timestamp) : undefined) ?? corrected(original, sent, receivedAt, options),
    receivedAt,
  }
  return sent === undefined ? times : Object.assign(times, { sentAt: sent.text })
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null
}

/** The sender's time of an event by our clock; ours where the sender gave none that is a time. */
function corrected(
  original: unknown,
  sent: TimeOfSending | undefined,
  receivedAt: string,
  options: TimestampOptions,
): string {
  const happened = isoTime(original)
  if (happened === undefined) return receivedAt
  if (sent === undefined || options.timestamps === 'keep') return happened
  const received = timeOfReceiving(receivedAt)
  if (!isClockWrong(sent.time - received, options.library)) return happened
  const wait = waitBetween(Date.parse(happened), sent.time)
  // Nobody sends before it happened: such times were not made by one clock, and say nothing of how wrong it is.
  if (wait === undefined) return happened
  return isoTime(new Date(received - wait)) ?? receivedAt
}

/** @param ahead - ms by which `sentAt` is later than `receivedAt` */
function isClockWrong(ahead: number, library: unknown): boolean {
  if (Math.abs(ahead) <= TOLERATED_SKEW_MS) return false
  return ahead > 0 || !stampsOnce(library)
}

function stampsOnce(library: unknown): boolean {
  return (
    typeof library === 'string' &&
    library.length <= MAX_NAME_LENGTH &&
    STAMPING_ONCE.has(library.toLowerCase())
  )
}

/** Ms from an event to its sending; `undefined` where it was sent before it happened. */
function waitBetween(happened: number, sent: number): number | undefined {
  if (sent >= happened) return sent - happened
  // PHP gives `sentAt` in whole seconds, and the time of an event in parts of one.
  const isSameSecond = sent % 1000 === 0 && happened - sent < 1000
  return isSameSecond ? 0 : undefined
}

interface TimeOfSending {
  /** In ms since 1970. */
  readonly time: number
  readonly text: string
}

// The events of a request share both, so the last of each is remembered.
const timeOfReceiving = rememberingLast((receivedAt: string) => Date.parse(receivedAt))
const timeOfSendingText = rememberingLast(readTimeOfSending)

/** SECURITY: only short text is remembered, so that nothing large outlives its request. */
function timeOfSending(value: unknown): TimeOfSending | undefined {
  if (!isGiven(value)) return undefined
  return typeof value === 'string' && value.length <= MAX_NAME_LENGTH
    ? timeOfSendingText(value)
    : readTimeOfSending(value)
}

function readTimeOfSending(value: unknown): TimeOfSending | undefined {
  const text = isoTime(value)
  return text === undefined ? undefined : { time: Date.parse(text), text }
}

function rememberingLast<T, R>(compute: (value: T) => R): (value: T) => R {
  let last: { readonly value: T; readonly result: R } | undefined
  return (value) => {
    if (last === undefined || last.value !== value) last = { value, result: compute(value) }
    return last.result
  }
}
