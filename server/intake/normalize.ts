import { ENVELOPE_VERSION } from '../../plugin/envelope.js'
import type { SegmentEvent } from '../../plugin/event.js'
import type { EventType } from '../http/endpoint.js'
import type { Sender } from '../http/sender.js'
import { isJsonObject, type JsonObject } from '../json-object.js'
import type { Source } from '../source.js'
import { channelOf, libraryNameOf } from './channel.js'
import { type ContextChanges, changedContext, contextChanges } from './client-context.js'
import { timestampsOf } from './timestamps.js'

/** What surrounds an event: the rest of its request. */
export interface Envelope {
  /** Of the batch that it is in. */
  readonly shared?: Shared
  /** ISO 8601. */
  readonly receivedAt: string
  readonly sender: Sender
  readonly newId: () => string
}

/** What the body of a batch says for all its events. */
export interface Shared {
  readonly context?: unknown
  readonly integrations?: unknown
  readonly sentAt?: unknown
}

const NOTHING_SHARED: Shared = {}

/** What a source says of the form of its events. */
export type NormalizingSource = Pick<Source, 'id' | 'ip' | 'timestamps'>

/** What normalisation does to an event. */
export interface Changes {
  /**
   * Members that are set over the event's own; one that is `undefined` is removed. The context is not among them.
   */
  readonly members: Readonly<Record<string, unknown>>
  /** The context that it has in the end but for {@link inContext}: its own, that of the batch, or both in one. */
  readonly context: unknown
  readonly inContext: ContextChanges | undefined
}

/** What the request that brought the event, and the source, make of it. */
export function changesOf(
  event: JsonObject,
  type: EventType,
  { id: projectId, ip: policy, timestamps }: NormalizingSource,
  { shared = NOTHING_SHARED, receivedAt, sender, newId }: Envelope,
): Changes {
  const context = merged(shared.context, event['context'])
  const channel = event['channel'] ?? channelOf(context, sender)
  const integrations = merged(shared.integrations, event['integrations'])
  const { timestamp, originalTimestamp } = event
  const sentAt = event['sentAt'] ?? shared.sentAt
  const messageId = messageIdOf(event['messageId']) ?? newId()
  const members: Record<string, unknown> = { type, messageId, channel, version: ENVELOPE_VERSION, projectId }
  const times = timestampsOf({ timestamp, originalTimestamp, sentAt }, receivedAt, {
    library: libraryNameOf(context),
    timestamps,
  })
  // Not by spread, which takes V8 far longer.
  Object.assign(members, times)
  if (times.sentAt === undefined && Object.hasOwn(event, 'sentAt')) members['sentAt'] = undefined
  if (integrations !== undefined) members['integrations'] = integrations
  return { members, context, inContext: contextChanges(context, { channel, sender, policy }) }
}

/** The event as downstream tables see it; a copy, what it was made from is left alone. */
export function normalize(
  event: JsonObject,
  type: EventType,
  source: NormalizingSource,
  envelope: Envelope,
): SegmentEvent {
  return normalized(event, changesOf(event, type, source, envelope))
}

/**
 * {@link normalize} with what it does already known.
 *
 * SECURITY: copied by spread, which makes an own property of a `__proto__` in the JSON, and never assigns one.
 */
export function normalized(event: JsonObject, { members, context, inContext }: Changes): SegmentEvent {
  const { writeKey: _kept, ...own } = event
  const final = changedContext(context, inContext)
  const normal = { ...own, ...members, ...(final === undefined ? {} : { context: final }) }
  if ('sentAt' in members && members['sentAt'] === undefined) delete (normal as { sentAt?: unknown }).sentAt
  return normal as SegmentEvent
}

/** What all events share, under what the event says itself. */
function merged(shared: unknown, own: unknown): unknown {
  if (!isJsonObject(shared)) return own
  if (own === undefined || own === null) return shared
  return isJsonObject(own) ? { ...shared, ...own } : own
}

/** Senders of their own making number their events. */
function messageIdOf(given: unknown): string | undefined {
  if (typeof given === 'number') return String(given)
  return typeof given === 'string' && given !== '' ? given : undefined
}
