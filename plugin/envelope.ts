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
 * came; a copy, as other plugins see the event too.
 *
 * @see https://segment.com/docs/connections/spec/common/
 */
export function enveloped(event: SegmentEvent, { library, sourceId, receivedAt }: Origin): SegmentEvent {
  const { context, timestamp } = event as SegmentEvent & { readonly timestamp?: unknown }
  return {
    ...event,
    ...withLibrary(context, library),
    channel: 'server',
    version: ENVELOPE_VERSION,
    ...(sourceId === undefined ? {} : { projectId: sourceId }),
    originalTimestamp: timestamp ?? receivedAt,
    timestamp: timestamp ?? receivedAt,
    receivedAt,
  } as SegmentEvent
}

/** Segment's own plugin names the library on the event; without it (`deregister('Segment.io')`) nobody would. */
function withLibrary(context: unknown, library: Origin['library']): { context?: unknown } {
  const isNamed = (context as { library?: unknown } | undefined)?.library !== undefined
  if (library === undefined || isNamed) return {}
  return { context: { ...(context as object | undefined), library } }
}
