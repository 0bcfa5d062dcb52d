import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import type { SegmentEvent } from '../../plugin/event.js'
import { parseTime } from '../../plugin/event-time.js'
import { membersOf } from '../../plugin/json/json-spans.js'
import { JsonSyntaxError } from '../../plugin/json/json-syntax-error.js'
import { isStreamName } from '../../plugin/settings/mapped-streams.js'
import { finish } from '../../plugin/slices.js'
import { type ScannedBody, scanBody } from '../intake/body-scanner.js'
import { writeIpPolicy } from '../intake/client-context.js'
import { IncomingEvent } from '../intake/incoming-event.js'
import { LineWriter } from '../intake/line-writer.js'
import {
  integrationsOf,
  type NormalizingSource,
  normalize,
  optionsOf,
  setMember,
} from '../intake/normalize.js'
import { ScannedEvent } from '../intake/scanned-event.js'
import { isEventType, validateEvent } from '../intake/validate-event.js'

/** An event read from a line, and what the line says of it. */
export interface ReplayEvent {
  readonly event: ScannedEvent
  /** When it was given up, else when it was received or happened, in ms since 1970. */
  readonly time: number | undefined
  readonly sourceId: string | undefined
  /** The stream that did not take it; `undefined` where the mapping decides. */
  readonly stream: string | undefined
  /** Refused by the proxy before it had its envelope. */
  readonly refused: { readonly at: string; readonly isOfNoSource: boolean } | undefined
  /** Stands in for a `messageId` that is not there; the same each time the line is read. */
  readonly id: () => string
}

/** Why a line holds nothing that could be sent. */
export type LineProblem = 'malformed' | 'no event' | 'unreadable body'

/** A dead letter of a body that could not be read. SECURITY: `why` quotes nothing of the body. */
export interface UnreadableLetter {
  readonly problem: 'unreadable body'
  readonly why: string
}

const ENVELOPE = ['at', 'reason', 'code', 'source', 'stream', 'messageId', 'data'] as const
type EnvelopeKey = (typeof ENVELOPE)[number]

/** Dead letters whose events are as they came. */
const REFUSALS: ReadonlySet<unknown> = new Set(['ERR_INVALID_EVENT', 'ERR_UNKNOWN_WRITE_KEY'])

/** Reads a dead letter or an event. */
export function readReplayEvent(bytes: Buffer): ReplayEvent | UnreadableLetter | LineProblem {
  const body = isUtf8(bytes) ? scanned(bytes) : undefined
  if (body === undefined) return 'malformed'
  const event = new ScannedEvent(body, 0)
  if (!event.isObject) return 'malformed'
  const id = () => `replay-${createHash('sha256').update(bytes).digest('hex').slice(0, 32)}`
  const envelope = envelopeOf(event)
  if (envelope !== undefined) return readDeadLetter(envelope, id)
  const time = parseTime(event.valueOf('receivedAt')) ?? parseTime(event.valueOf('timestamp'))
  return {
    event,
    time,
    sourceId: event.stringOf('projectId') || undefined,
    stream: undefined,
    refused: undefined,
    id,
  }
}

function readDeadLetter(
  text: Readonly<Record<EnvelopeKey, Buffer>>,
  id: () => string,
): ReplayEvent | UnreadableLetter | LineProblem {
  const value = (key: EnvelopeKey): unknown => JSON.parse(text[key].toString())
  const code = value('code')
  if (code === 'ERR_MALFORMED_BODY') return { problem: 'unreadable body', why: String(value('reason')) }
  const body = scanned(text.data)
  const event = body && new ScannedEvent(body, 0)
  if (!event?.isObject) return 'no event'
  const stream = value('stream')
  if (stream !== null && !isStreamName(stream)) return 'malformed'
  const time = parseTime(value('at'))
  if (time === undefined) return 'malformed'
  const refused = REFUSALS.has(code)
    ? { at: new Date(time).toISOString(), isOfNoSource: code === 'ERR_UNKNOWN_WRITE_KEY' }
    : undefined
  const source = value('source')
  const sourceId = typeof source === 'string' && source !== '' ? source : undefined
  return { event, time, sourceId, stream: stream ?? undefined, refused, id }
}

/** The event in the form of the envelope, as the source's own; or what is still wrong with it. */
export function eventFor(
  { event, refused, id }: ReplayEvent,
  source: NormalizingSource,
): SegmentEvent | 'invalid' {
  if (refused !== undefined) {
    const type = event.valueOf('type')
    if (validateEvent(event, type) !== undefined || !isEventType(type)) return 'invalid'
    const sender = { ip: undefined, userAgent: undefined, isBrowser: false }
    return normalize(event, type, source, { receivedAt: refused.at, sender, newId: id })
  }
  const line = new LineWriter(event.bytes, event.start, event.end)
  if (event.has('writeKey')) line.remove('writeKey', event.startOf('writeKey'), event.endOf('writeKey'))
  // SECURITY: what another source kept of an address this one may not keep.
  writeIpPolicy(line, event, source.ip)
  const messageId = event.valueOf('messageId') ?? id()
  if (messageId !== event.valueOf('messageId')) setMember(line, event, 'messageId', JSON.stringify(messageId))
  setMember(line, event, 'projectId', JSON.stringify(source.id))
  const members = {
    type: event.valueOf('type'),
    event: event.name,
    messageId,
    integrations: integrationsOf(event, undefined),
    options: optionsOf(event),
  }
  return new IncomingEvent(members, line.written('\n'))
}

/** The members of a dead letter, `undefined` where the object is none. */
function envelopeOf(event: ScannedEvent): Readonly<Record<EnvelopeKey, Buffer>> | undefined {
  const members = new Map(
    membersOf(event.bytes, event.start).map(({ key, valueStart, valueEnd }) => [
      key,
      event.bytes.subarray(valueStart, valueEnd),
    ]),
  )
  if (!ENVELOPE.every((name) => members.has(name))) return undefined
  return Object.fromEntries(members) as Record<EnvelopeKey, Buffer>
}

function scanned(bytes: Buffer): ScannedBody | undefined {
  try {
    return finish(scanBody(bytes, false))
  } catch (error) {
    if (error instanceof JsonSyntaxError) return undefined
    throw error
  }
}
