import type { SegmentEvent } from './event.js'

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
 * came, and so does `transform`: its time as text, never as a Date. A copy, as other plugins see the event too.
 *
 * @see https://segment.com/docs/connections/spec/common/
 */
export function enveloped(event: SegmentEvent, { library, sourceId, receivedAt }: Origin): SegmentEvent {
  const { context, timestamp } = event as SegmentEvent & { readonly timestamp?: unknown }
  // Of an invalid Date toJSON makes null, where toISOString throws.
  const time = (timestamp instanceof Date ? timestamp.toJSON() : timestamp) ?? receivedAt
  return Object.assign(
    copyOf(event),
    isNamed(context) || library === undefined
      ? undefined
      : { context: Object.assign({}, context, { library }) },
    sourceId === undefined ? undefined : { projectId: sourceId },
    {
      channel: 'server',
      version: ENVELOPE_VERSION,
      originalTimestamp: time,
      timestamp: time,
      receivedAt,
    },
  )
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
