import { ENVELOPE_VERSION } from '../../plugin/envelope.js'
import type { SegmentEvent } from '../../plugin/event.js'
import type { EventType } from '../http/endpoint.js'
import type { Sender } from '../http/sender.js'
import { isJsonObject, type JsonObject } from '../json-object.js'
import type { Source } from '../source.js'
import { channelOf } from './channel.js'
import { clientContext } from './client-context.js'
import { timestampsOf } from './timestamps.js'

/** What surrounds an event: the rest of its request. */
export interface Envelope {
  /** What the body says for all its events. Empty where the body is the event. */
  readonly shared: { readonly context?: unknown; readonly integrations?: unknown; readonly sentAt?: unknown }
  /** ISO 8601. */
  readonly receivedAt: string
  readonly sender: Sender
  readonly newId: () => string
}

/**
 * The event as downstream tables see it; a copy, what it was made from is left alone.
 *
 * SECURITY: copied by spread, which makes an own property of a `__proto__` in the JSON, and never assigns one.
 */
export function normalize(
  event: JsonObject,
  type: EventType,
  { id: projectId, ip: policy }: Pick<Source, 'id' | 'ip'>,
  { shared, receivedAt, sender, newId }: Envelope,
): SegmentEvent {
  const { writeKey: _kept, ...own } = event
  const said = merged(shared.context, own['context'])
  const channel = own['channel'] ?? channelOf(said, sender)
  const context = clientContext(said, { channel, sender, policy })
  const integrations = merged(shared.integrations, own['integrations'])
  const { timestamp, originalTimestamp } = own
  const sentAt = own['sentAt'] ?? shared.sentAt
  return {
    ...own,
    type,
    messageId: messageIdOf(own['messageId']) ?? newId(),
    ...(context === undefined ? {} : { context }),
    ...(integrations === undefined ? {} : { integrations }),
    channel,
    version: ENVELOPE_VERSION,
    projectId,
    ...timestampsOf({ timestamp, originalTimestamp, sentAt }, receivedAt),
  } as SegmentEvent
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
