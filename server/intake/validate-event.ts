import { QUOTE } from '../../plugin/json/json-bytes.js'
import { EVENT_TYPES, type EventType } from '../http/endpoint.js'
import type { ScannedEvent } from './scanned-event.js'

/** Segment takes no event larger than this; only a record that switches thousands of destinations would need it. */
export const MAX_INTEGRATIONS_BYTES = 32 * 1024

/**
 * What is wrong with an event, as one sentence, or `undefined`. The rules are those of Segment's libraries.
 *
 * @param type - of the endpoint, or what the event of a batch says
 */
export function validateEvent(event: ScannedEvent, type: unknown): string | undefined {
  if (!event.isObject) return 'The event is not an object'
  if (type === undefined || type === null || type === '') return 'The event has no type'
  if (!isEventType(type)) return `The event's type is none of ${EVENT_TYPES.join(', ')}`
  if (!IDENTITIES.some((name) => event.hasText(name) || isNumber(event, name))) {
    return 'The event has no userId and no anonymousId'
  }
  if (type === 'track' && event.name.trim() === '') {
    return 'The track event has no event name: `event` must be a string'
  }
  // SECURITY: they are parsed, which takes many times their size.
  const large = PARSED.find((name) => event.endOf(name) - event.startOf(name) > MAX_INTEGRATIONS_BYTES)
  if (large !== undefined) return `The event's ${large} are larger than ${MAX_INTEGRATIONS_BYTES} bytes`
  return undefined
}

const PARSED = ['integrations', 'options'] as const

// Source: assertUserIdentity of @segment/analytics-core, which takes any of the four for every type.
const IDENTITIES = ['userId', 'anonymousId', 'groupId', 'previousId'] as const

export function isEventType(type: unknown): type is EventType {
  return EVENT_TYPES.some((known) => known === type)
}

/** The type that the event says it has. */
export function typeOf(event: ScannedEvent): unknown {
  return EVENT_TYPES.find((known) => event.isString('type', known)) ?? event.valueOf('type')
}

/** No number that is an ID is longer, in bytes. */
const MAX_NUMBER_BYTES = 1_024

/** Segment's API takes numbers too; JSON's may be beyond a double. */
function isNumber(event: ScannedEvent, member: (typeof IDENTITIES)[number]): boolean {
  const start = event.startOf(member)
  // A string with something in it was found before, and an empty one is no identity.
  if (start < 0 || event.bytes[start] === QUOTE) return false
  return event.endOf(member) - start <= MAX_NUMBER_BYTES && Number.isFinite(event.valueOf(member))
}
