import type { SegmentEvent } from './event.js'
import { isoTime } from './event-time.js'

/** Of the form of these events, as Segment counts its own. */
export const ENVELOPE_VERSION = 2

/** What the plugin knows of where an event comes from. */
export interface Origin {
  readonly library: { readonly name: string; readonly version: string } | undefined
  readonly sourceId: string | undefined
  /** ISO 8601. */
  readonly receivedAt: string
}

/**
 * The event with what Segment's servers add to one, so that the tables downstream see the same form whichever way it
 * came, and so does `transform`: its times as text in one form, never as a Date. The clock is our own, so that no time
 * is corrected. Returns a copy, as other plugins see the event too.
 *
 * @see https://segment.com/docs/connections/spec/common/
 */
export function enveloped(event: SegmentEvent, { library, sourceId, receivedAt }: Origin): SegmentEvent {
  const { context, timestamp, originalTimestamp, sentAt } = event as SegmentEvent & GivenTimes
  const original = asText(originalTimestamp) ?? asText(timestamp)
  return Object.assign(
    copyOf(event),
    isNamed(context) || library === undefined
      ? undefined
      : { context: Object.assign({}, context, { library }) },
    sourceId === undefined ? undefined : { projectId: sourceId },
    {
      channel: 'server',
      version: ENVELOPE_VERSION,
      originalTimestamp: original ?? receivedAt,
      timestamp: isoTime(timestamp) ?? isoTime(original) ?? receivedAt,
      receivedAt,
    },
    sentAt === undefined ? undefined : { sentAt: isoTime(sentAt) },
  )
}

/** Times that the app, or a plugin of its own, gave an event. */
interface GivenTimes {
  readonly originalTimestamp?: unknown
  readonly sentAt?: unknown
}

/** A Date as the text that JSON makes of it, which is `null` for an invalid one; all else as it is. */
function asText(time: unknown): unknown {
  return time instanceof Date ? time.toJSON() : time
}

/** By `Object.assign`, as what V8 makes of a spread takes twenty times as long, and JSON.stringify of it twice. */
function copyOf(event: SegmentEvent): SegmentEvent {
  // Assigned, a `__proto__` of JSON.parse would become the prototype.
  return Object.hasOwn(event, '__proto__') ? { ...event } : Object.assign({}, event)
}

/** Segment's own plugin names the library on the event; without it (`deregister('Segment.io')`) nobody would. */
function isNamed(context: unknown): boolean {
  return (context as { library?: unknown } | undefined)?.library !== undefined
}
