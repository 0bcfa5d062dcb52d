import { EVENT_TYPES, type EventType } from '../http/endpoint.js'
import { isJsonObject } from '../json-object.js'

/**
 * What is wrong with an event, as one sentence, or `undefined`. The rules are those of Segment's libraries.
 *
 * @param type - of the endpoint, or what the event of a batch says
 */
export function invalidity(event: unknown, type: unknown): string | undefined {
  if (!isJsonObject(event)) return 'The event is not an object'
  if (type === undefined || type === null || type === '') return 'The event has no type'
  if (!isEventType(type)) return `The event's type is none of ${EVENT_TYPES.join(', ')}`
  if (!IDENTITIES.some((name) => isIdentity(event[name]))) return 'The event has no userId and no anonymousId'
  const { event: name } = event
  if (type === 'track' && (typeof name !== 'string' || name.trim() === '')) {
    return 'The track event has no event name: `event` must be a string'
  }
  return undefined
}

// Source: assertUserIdentity of @segment/analytics-core, which takes any of the four for every type.
const IDENTITIES = ['userId', 'anonymousId', 'groupId', 'previousId'] as const

export function isEventType(type: unknown): type is EventType {
  return EVENT_TYPES.some((known) => known === type)
}

/** Segment's API takes numbers too; JSON's may be beyond a double. */
function isIdentity(value: unknown): boolean {
  return Number.isFinite(value) || (typeof value === 'string' && value !== '')
}
