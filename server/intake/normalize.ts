import { ENVELOPE_VERSION } from '../../plugin/envelope.js'
import type { EventType } from '../http/endpoint.js'
import type { Sender } from '../http/sender.js'
import type { Source } from '../source.js'
import { channelOf } from './channel.js'
import { writeContext } from './client-context.js'
import { IncomingEvent } from './incoming-event.js'
import { LineWriter } from './line-writer.js'
import { COMPOSITE, type KnownMember, type ScannedEvent } from './scanned-event.js'
import type { SharedMembers } from './shared-members.js'
import { type TimestampOptions, type Timestamps, timestampsOf } from './timestamps.js'

/** What surrounds an event: the rest of its request. */
export interface Envelope {
  /** Of the batch that it is in. */
  readonly shared?: SharedMembers | undefined
  /** ISO 8601. */
  readonly receivedAt: string
  readonly sender: Sender
  readonly newId: () => string
  /** `false` where numbers went through JavaScript's before: the digits are not those that the sender wrote. */
  readonly hasExactNumbers?: boolean
}

/** What a source says of the form of its events. */
export type NormalizingSource = Pick<Source, 'id' | 'ip' | 'timestamps'>

const VERSION_TEXT = String(ENVELOPE_VERSION)
const NEWLINE = '\n'

/**
 * Makes the event as downstream tables see it: the bytes that came, with what normalisation sets and removes. What is
 * not named here stays as it came, digits and all.
 */
export function normalize(
  event: ScannedEvent,
  type: EventType,
  { id: projectId, ip: policy, timestamps }: NormalizingSource,
  envelope: Envelope,
): IncomingEvent {
  const { shared } = envelope
  const library = libraryOf(event, shared)
  const line = new LineWriter(event.bytes, event.start, event.end)
  // SECURITY: a key must not be kept beside what it let in.
  if (event.has('writeKey')) line.remove('writeKey', event.startOf('writeKey'), event.endOf('writeKey'))
  if (!event.isString('type', type)) setMember(line, event, 'type', `"${type}"`)
  const messageId = writeMessageId(line, event, envelope)
  const channel = writeChannel(line, event, library, envelope.sender)
  setMember(line, event, 'version', VERSION_TEXT)
  setMember(line, event, 'projectId', JSON.stringify(projectId))
  writeTimestamps(line, event, envelope, { library, timestamps })
  writeIntegrations(line, event, shared)
  writeContext(line, event, { channel, sender: envelope.sender, policy, shared })
  const members = {
    type,
    event: event.name,
    messageId,
    integrations: integrationsOf(event, shared),
    options: optionsOf(event),
  }
  return new IncomingEvent(members, line.written(NEWLINE))
}

export function setMember(line: LineWriter, event: ScannedEvent, member: KnownMember, text: string): void {
  if (!event.has(member)) line.add(member, text)
  else if (!event.isText(member, text)) line.replace(event.startOf(member), event.endOf(member), text)
}

/**
 * Sets the ID by which the event is known: the text that came, that of a number included. An event whose ID cannot be
 * told from others for certain gets a new one: two events must never be taken for one.
 */
function writeMessageId(
  line: LineWriter,
  event: ScannedEvent,
  { newId, hasExactNumbers = true }: Envelope,
): string {
  const given = event.valueOf('messageId')
  if (typeof given === 'string' && given !== '' && !event.hasUnreadableId) return given
  const isKnownNumber = typeof given === 'number' && (hasExactNumbers || Number.isSafeInteger(given))
  const messageId = isKnownNumber ? (event.textOf('messageId') as string) : newId()
  setMember(line, event, 'messageId', JSON.stringify(messageId))
  return messageId
}

/** What the library that made the event calls itself, in the event's own context or in that of its batch. */
function libraryOf(event: ScannedEvent, shared: SharedMembers | undefined): string | undefined {
  const isOwn = event.hasObject('context') && event.has('library')
  return (isOwn ? event : (shared?.body ?? event)).stringOf('libraryName')
}

/** Returns the channel that the event has in the end. */
function writeChannel(
  line: LineWriter,
  event: ScannedEvent,
  library: string | undefined,
  sender: Sender,
): unknown {
  const given = event.valueOf('channel')
  if (given !== undefined && given !== null) return given
  const channel = channelOf(library, sender)
  setMember(line, event, 'channel', `"${channel}"`)
  return channel
}

const TIMES = ['originalTimestamp', 'timestamp', 'sentAt', 'receivedAt'] as const

function writeTimestamps(
  line: LineWriter,
  event: ScannedEvent,
  { shared, receivedAt }: Envelope,
  options: TimestampOptions,
): void {
  const hasOwnSentAt = (event.valueOf('sentAt') ?? undefined) !== undefined
  const sources = {
    timestamp: event,
    originalTimestamp: event,
    sentAt: hasOwnSentAt ? event : shared?.body,
  }
  const given = {
    timestamp: timeIn(sources, 'timestamp'),
    originalTimestamp: timeIn(sources, 'originalTimestamp'),
    sentAt: timeIn(sources, 'sentAt'),
  }
  const times: Timestamps = timestampsOf(given, receivedAt, options)
  for (const name of TIMES) {
    const time = times[name]
    // What came is written as it came: it may be a number, or no time at all.
    const from =
      given[name as GivenTime] === time ? (name as GivenTime) : GIVEN_TIMES.find((it) => given[it] === time)
    if (time === undefined || (from === name && sources[from] === event)) continue
    setMember(line, event, name, (from && sources[from]?.textOf(from)) ?? JSON.stringify(time))
  }
  if (times.sentAt === undefined && event.has('sentAt')) {
    line.remove('sentAt', event.startOf('sentAt'), event.endOf('sentAt'))
  }
}

const GIVEN_TIMES = ['originalTimestamp', 'timestamp', 'sentAt'] as const

type GivenTime = (typeof GIVEN_TIMES)[number]

/** Objects and arrays are no times. Each has a symbol of its own, by which it is known again. */
const NO_TIMES: Readonly<Record<GivenTime, symbol>> = {
  originalTimestamp: Symbol('originalTimestamp'),
  timestamp: Symbol('timestamp'),
  sentAt: Symbol('sentAt'),
}

function timeIn(sources: Readonly<Record<GivenTime, ScannedEvent | undefined>>, member: GivenTime): unknown {
  const value = sources[member]?.valueOf(member)
  return value === COMPOSITE ? NO_TIMES[member] : value
}

function writeIntegrations(line: LineWriter, event: ScannedEvent, shared: SharedMembers | undefined): void {
  if (!shared?.has('integrations')) return
  if (!event.hasObject('integrations')) {
    return setMember(line, event, 'integrations', shared.body.textOf('integrations') as string)
  }
  const missing = shared.missingIn(event, 'integrations')
  if (missing === '') return
  // After its own: of two keys that say the same in another case, Segment takes the first.
  line.insertLast(event.endOf('integrations'), event.isEmpty('integrations'), missing)
}

/** The integrations that count for an event: its own, then those of its batch. */
export function integrationsOf(event: ScannedEvent, shared: SharedMembers | undefined): unknown {
  const below = shared?.integrations
  if (event.isEmpty('integrations')) return below ?? NOTHING
  if (!event.hasObject('integrations')) return below ?? parsed(event, 'integrations')
  const own = parsed(event, 'integrations') as object
  return below === undefined ? own : { ...own, ...below, ...own }
}

const NOTHING: object = {}

/** The event's `options`, the older place of integrations. */
export function optionsOf(event: ScannedEvent): unknown {
  return event.has('options') ? parsed(event, 'options') : undefined
}

/** Validation has seen to their size. */
function parsed(event: ScannedEvent, member: 'integrations' | 'options'): unknown {
  const text = event.textOf(member)
  return text === undefined ? undefined : JSON.parse(text)
}
