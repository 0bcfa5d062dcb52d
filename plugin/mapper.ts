import { FirehoseError } from './errors.js'
import { type SegmentEvent, WritableEvent } from './event.js'
import { isEnabledFor } from './integrations.js'
import { jsonSize } from './json/json-size.js'
import { oddNumbersIn, stringifyWithNumbers } from './json/number-text.js'
import { createRouter } from './router.js'
import { type DestinationConfiguration, parseSettings } from './settings/configuration.js'
import type { DestinationSettings } from './settings/settings.js'

export { DESTINATION_NAME } from './integrations.js'

/** Stands in a record for the streams of an event that failed before it could be routed. No stream has this name. */
export const UNROUTED = '*'

/** What one event becomes for one delivery stream. */
export interface MappedRecord {
  /** Where it goes; {@link UNROUTED} where the event failed before that was known. */
  readonly stream: string
  /** The record's bytes: the event as JSON and a newline, UTF-8. Empty where `error` is set. */
  readonly data: Uint8Array
  /** Why the event could not become a record. Delivery fails such a record with this error. */
  readonly error?: FirehoseError
}

/** An event's records, and where there are none, why: `unmapped`, switched `off`, or `dropped` by `transform`. */
export interface Mapping {
  readonly records: MappedRecord[]
  readonly verdict: 'mapped' | 'unmapped' | 'off' | 'dropped'
}

/** From an event to its records, made by {@link createMapper}. */
export interface Mapper {
  /** The event's records, one for each stream. Never throws. */
  (event: SegmentEvent): MappedRecord[]
  /** As calling the mapper, with the reason where there are no records. Never throws. */
  explain(event: SegmentEvent): Mapping
  /** Every stream that the mapping names, each once. */
  readonly streams: readonly string[]
}

/**
 * Makes the function from an event to its records, by `mappedStreams`, `routing` and `transform`.
 * Its cost grows with the rows that match, not with the rows there are.
 *
 * @throws FirehoseError `ERR_SETTINGS`
 * @see https://segment.com/docs/connections/destinations/catalog/amazon-kinesis-firehose/#event-mapping
 *
 * @example
 * const mapper = createMapper({ mappedStreams: [{ event: 'User Registered', stream: 'new_users' }] })
 * mapper({ type: 'track', event: 'user registered', userId: 'u1' })
 * // [{ stream: 'new_users', data: <'{"type":"track","event":"user registered","userId":"u1"}\n'> }]
 */
export function createMapper(settings: DestinationSettings): Mapper {
  return mapperOf(parseSettings(settings))
}

/** {@link createMapper} for settings already parsed. */
export function mapperOf(configuration: DestinationConfiguration): Mapper {
  const { transform } = configuration
  const router = createRouter(configuration.mapping, configuration.routing)

  const explain = (given: SegmentEvent): Mapping => {
    let streams: readonly string[] = [UNROUTED]
    try {
      if (!isEnabledFor(given?.integrations, given?.options)) return nothing('off')
      const event = transform === undefined ? given : transformed(parsed(given), transform)
      if (event === null) return nothing('dropped')
      streams = router.route(event)
      if (streams.length === 0) return nothing('unmapped')
      const data = serialize(event, given)
      return { records: streams.map((stream) => ({ stream, data })), verdict: 'mapped' }
    } catch (thrown) {
      const error = errorOf(thrown)
      return { records: streams.map((stream) => ({ stream, data: NO_BYTES, error })), verdict: 'mapped' }
    }
  }

  return Object.assign((event: SegmentEvent) => explain(event).records, { explain, streams: router.streams })
}

const NO_BYTES = new Uint8Array(0)

function nothing(verdict: Mapping['verdict']): Mapping {
  return { records: [], verdict }
}

/**
 * Members and values of an event for `transform` at most. Segment takes events of 32 KB, which have 5,000 members at
 * the very most, and those of real libraries a few hundred.
 *
 * SECURITY: JSON.parse takes up to 25 times the bytes in memory, and a millisecond for a few hundred members, all at
 * once.
 */
const MAX_MEMBERS = 10_000
const MAX_VALUES = 100_000
/** Fewer bytes cannot hold that many. */
const FEW_BYTES = 4 * MAX_MEMBERS

/** The event as a plain object, for `transform`. */
function parsed(event: SegmentEvent): SegmentEvent {
  if (!(event instanceof WritableEvent)) return event
  const line = event.toLine()
  const { members, values } = line.length <= FEW_BYTES ? NOT_COUNTED : jsonSize(line)
  if (members <= MAX_MEMBERS && values <= MAX_VALUES) return event.toJSON()
  throw new FirehoseError(
    'ERR_TRANSFORM',
    `The event has ${members} members and some ${values} values, \`transform\` is given ${MAX_MEMBERS} and ${MAX_VALUES} at most; send smaller events`,
  )
}

const NOT_COUNTED = { members: 0, values: 0 }

function transformed(event: SegmentEvent, transform: (event: SegmentEvent) => SegmentEvent | null) {
  const fix = 'let it return an event or null'
  let result: unknown
  try {
    result = transform(event)
  } catch (cause) {
    throw new FirehoseError('ERR_TRANSFORM', `\`transform\` threw on this event; ${fix}`, { cause })
  }
  if (result === null || isEvent(result)) return result
  // A promise that nobody waits for must not end the process when it is rejected.
  if (kindOf(result) === 'a promise') (result as PromiseLike<unknown>).then(undefined, () => {})
  throw new FirehoseError('ERR_TRANSFORM', `\`transform\` returned ${kindOf(result)}; ${fix}`)
}

function isEvent(value: unknown): value is SegmentEvent {
  return kindOf(value) === 'object'
}

/** Arrays, dates, maps and what an async function returns are objects as well, but no events. */
function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'an array'
  if (typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function') return 'a promise'
  const name = Object.prototype.toString.call(value).slice('[object '.length, -1)
  return typeof value === 'object' && name !== 'Object' ? `a ${name}` : typeof value
}

/** @param given - the event before `transform`: numbers that it left alone keep the digits that came */
function serialize(event: SegmentEvent, given: SegmentEvent): Uint8Array {
  if (event instanceof WritableEvent) return event.toLine()
  const odd = given instanceof WritableEvent ? oddNumbersIn(given.toLine()) : undefined
  const json = stringifyWithNumbers(event, odd)
  if (json === undefined) throw new TypeError('it has no JSON value')
  if (!json.startsWith('{')) throw new TypeError('its `toJSON` makes no object of it')
  return Buffer.from(`${json}\n`)
}

function errorOf(thrown: unknown): FirehoseError {
  let why = 'it throws'
  try {
    if (thrown instanceof FirehoseError) return thrown
    if (thrown instanceof Error) why = String(thrown.message).split('\n', 1)[0] as string
  } catch {
    // What an event's own code throws may itself throw when looked at.
  }
  return new FirehoseError(
    'ERR_UNSERIALIZABLE',
    `The event cannot be written as JSON (${why}); send only JSON values, BigInts as strings`,
    { cause: thrown },
  )
}
