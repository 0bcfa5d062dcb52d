import type { Random } from './random.js'

export const STREAMS = ['signups', 'page_views', 'orders', 'everything'] as const

/** `orders` has several events in a record. */
export const AGGREGATED: (typeof STREAMS)[number] = 'orders'

export const MAPPED_STREAMS = [
  { event: 'User Registered', stream: 'signups' },
  { event: 'page', stream: 'page_views' },
  { event: 'Order Completed', stream: 'orders' },
  { event: '*', stream: 'everything' },
]

export interface SentEvent {
  readonly messageId: string
  readonly streams: readonly string[]
  readonly body: Readonly<Record<string, unknown>>
}

/** Each kind of event, and where it belongs: written down here, so that the router does not check itself. */
const KINDS: readonly { readonly body: object; readonly streams: readonly string[] }[] = [
  { body: { type: 'track', event: 'User Registered', userId: 'u' }, streams: ['signups', 'everything'] },
  { body: { type: 'page', anonymousId: 'a' }, streams: ['page_views', 'everything'] },
  { body: { type: 'track', event: 'Order Completed', userId: 'u' }, streams: ['orders', 'everything'] },
  { body: { type: 'identify', userId: 'u' }, streams: ['everything'] },
]

const MOST_BYTES = 1_500

const INVALID = { body: { type: 'track', event: 'Nobody’s' }, streams: [] }
const INVALID_SHARE = 0.01
/** Larger than a record may be. */
const HUGE_BYTES = 1_100_000
const HUGE_SHARE = 0.0002

/** An event of one stream and no other, if it is mapped so. */
export function eventOf(stream: string, messageId: string): SentEvent {
  return { messageId, streams: [stream], body: { type: 'track', event: stream, userId: 'u', messageId } }
}

/** One that a stream takes. */
export function makeGoodEvent(messageId: string, random: Random): SentEvent {
  return eventWith(random.pick(KINDS), messageId, random.between(0, MOST_BYTES))
}

/** One in a batch: those that can never be delivered are answered 400 where they come alone. */
export function makeEvent(messageId: string, random: Random): SentEvent {
  if (random.chance(INVALID_SHARE)) return eventWith(INVALID, messageId, 0)
  if (random.chance(HUGE_SHARE)) return eventWith(random.pick(KINDS), messageId, HUGE_BYTES)
  return makeGoodEvent(messageId, random)
}

function eventWith({ body, streams }: (typeof KINDS)[number], messageId: string, bytes: number): SentEvent {
  return { messageId, streams, body: { ...body, messageId, properties: { filling: 'ü'.repeat(bytes / 2) } } }
}
