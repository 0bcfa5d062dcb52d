import { createHash } from 'node:crypto'
import type { SegmentEvent } from '../../plugin/event.js'
import { parseTime } from '../../plugin/event-time.js'
import { isStreamName } from '../../plugin/settings/mapped-streams.js'
import { withIpPolicy } from '../intake/client-context.js'
import { invalidity, isEventType } from '../intake/invalidity.js'
import { type NormalizingSource, normalize } from '../intake/normalize.js'
import { isJsonObject } from '../json-object.js'

type Fields = Readonly<Record<string, unknown>>

/** An event read from a line, and what the line says of it. */
export interface ReplayEvent {
  readonly data: Fields
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
export type LineProblem = 'malformed' | 'no event'

const ENVELOPE = ['at', 'reason', 'code', 'source', 'stream', 'messageId', 'data'] as const
/** Dead letters whose events are as they came. */
const REFUSALS: ReadonlySet<unknown> = new Set(['ERR_INVALID_EVENT', 'ERR_UNKNOWN_WRITE_KEY'])
const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Reads a dead letter or an event. */
export function readReplayEvent(bytes: Uint8Array): ReplayEvent | LineProblem {
  const value = parse(bytes)
  if (!isJsonObject(value)) return 'malformed'
  const id = () => `replay-${createHash('sha256').update(bytes).digest('hex').slice(0, 32)}`
  if (!ENVELOPE.every((name) => Object.hasOwn(value, name))) {
    const { writeKey: _key, ...data } = value
    const time = parseTime(data['receivedAt']) ?? parseTime(data['timestamp'])
    return { data, time, sourceId: textOf(data['projectId']), stream: undefined, refused: undefined, id }
  }
  const { at, code, source, stream, data: given } = value
  if (!isJsonObject(given)) return 'no event'
  if (stream !== null && !isStreamName(stream)) return 'malformed'
  const { writeKey: _key, ...data } = given
  const time = parseTime(at)
  if (time === undefined) return 'malformed'
  const refused = REFUSALS.has(code)
    ? { at: new Date(time).toISOString(), isOfNoSource: code === 'ERR_UNKNOWN_WRITE_KEY' }
    : undefined
  return { data, time, sourceId: textOf(source), stream: stream ?? undefined, refused, id }
}

/** The event in the form of the envelope, as the source's own; or what is still wrong with it. */
export function eventFor(
  { data, refused, id }: ReplayEvent,
  source: NormalizingSource,
): SegmentEvent | 'invalid' {
  if (refused !== undefined) {
    const { type } = data
    if (invalidity(data, type) !== undefined || !isEventType(type)) return 'invalid'
    const sender = { ip: undefined, userAgent: undefined, isBrowser: false }
    return normalize(data, type, source, { receivedAt: refused.at, sender, newId: id })
  }
  const { context, messageId } = data
  return {
    ...data,
    // SECURITY: what another source kept of an address this one may not keep.
    ...(isJsonObject(context) ? { context: withIpPolicy(context, source.ip) } : {}),
    messageId: messageId ?? id(),
    projectId: source.id,
  } as SegmentEvent
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(bytes))
  } catch {
    return undefined
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
