import { ENVELOPE_VERSION } from '../../plugin/envelope.js'
import type { EventType } from '../http/endpoint.js'
import type { Sender } from '../http/sender.js'
import type { Source } from '../source.js'
import { type Channel, channelOf } from './channel.js'
import { writeContext } from './client-context.js'
import { IncomingEvent } from './incoming-event.js'
import { LineWriter } from './line-writer.js'
import { COMPOSITE, type KnownMember, type ScannedEvent } from './scanned-event.js'
import type { SharedMembers } from './shared-members.js'
import { type Timestamps, timestampsOf } from './timestamps.js'

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

const VERSION_TEXT = String(ENVELOPE_VERSION)
const NEWLINE = '\n'

/**
 * Makes the event as downstream tables see it: the bytes that came, with what normalisation sets and removes. What is
 * not named here stays as it came, digits and all.
 */
export function normalize(
  event: ScannedEvent,
  type: EventType,
  { id: projectId, ip: policy }: Pick<Source, 'id' | 'ip'>,
  envelope: Envelope,
): IncomingEvent {
  const { shared } = envelope
  const line = new LineWriter(event.bytes, event.start, event.end)
  const set = (member: KnownMember, text: string) => setMember(line, event, member, text)
  const givenId = event.valueOf('messageId')
  const messageId = messageIdOf(event, givenId, envelope)
  const givenChannel = event.valueOf('channel')
  const channel = givenChannel ?? channelFor(event, envelope)

  // SECURITY: a key must not be kept beside what it let in.
  if (event.has('writeKey')) line.remove('writeKey', event.startOf('writeKey'), event.endOf('writeKey'))
  set('type', `"${type}"`)
  if (messageId !== givenId) set('messageId', JSON.stringify(messageId))
  if (channel !== givenChannel) set('channel', JSON.stringify(channel))
  set('version', VERSION_TEXT)
  set('projectId', JSON.stringify(projectId))
  writeTimestamps(line, event, envelope)
  writeIntegrations(line, event, shared)
  writeContext(line, event, { channel, sender: envelope.sender, policy, shared })
  const members = {
    type,
    event: event.stringOf('event'),
    messageId,
    integrations: integrationsOf(event, shared),
  }
  return new IncomingEvent(members, line.written(NEWLINE))
}

export function setMember(line: LineWriter, event: ScannedEvent, member: KnownMember, text: string): void {
  if (!event.has(member)) line.add(member, text)
  else if (!event.isText(member, text)) line.replace(event.startOf(member), event.endOf(member), text)
}

/**
 * The ID by which an event is known: the text that came, that of a number included. An event whose ID cannot be told
 * from others for certain gets a new one: two events must never be taken for one.
 */
function messageIdOf(
  event: ScannedEvent,
  given: unknown,
  { newId, hasExactNumbers = true }: Envelope,
): string {
  if (event.hasUnreadableId) return newId()
  if (typeof given === 'string' && given !== '') return given
  if (typeof given !== 'number') return newId()
  return hasExactNumbers || Number.isSafeInteger(given) ? (event.textOf('messageId') as string) : newId()
}

function channelFor(event: ScannedEvent, { shared, sender }: Envelope): Channel {
  const ownLibrary = event.hasObject('context') && event.has('library')
  return channelOf((ownLibrary ? event : (shared?.body ?? event)).stringOf('libraryName'), sender)
}

const TIMES = ['originalTimestamp', 'timestamp', 'sentAt', 'receivedAt'] as const

function writeTimestamps(line: LineWriter, event: ScannedEvent, { shared, receivedAt }: Envelope): void {
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
  const times: Timestamps = timestampsOf(given, receivedAt)
  for (const name of TIMES) {
    const time = times[name]
    if (time === undefined) continue
    // What came is written as it came: it may be a number, or no time at all.
    const from = GIVEN_TIMES.find((it) => given[it] === time)
    setMember(line, event, name, (from && sources[from]?.textOf(from)) ?? JSON.stringify(time))
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
  line.insert(event.startOf('integrations'), event.isEmpty('integrations'), missing)
}

/** The integrations that count for an event: its own over those of its batch. */
export function integrationsOf(event: ScannedEvent, shared: SharedMembers | undefined): unknown {
  const below = shared?.integrations
  if (event.isEmpty('integrations')) return below
  if (!event.hasObject('integrations')) return below ?? event.valueOf('integrations')
  const own = JSON.parse(event.textOf('integrations') as string) as object
  return below === undefined ? own : { ...below, ...own }
}
