import type { DeadLetterCode } from '../../plugin/dead-letters/dead-letter.js'
import type { SegmentEvent } from '../../plugin/event.js'
import type { JsonBody } from '../http/body.js'
import type { IntakeEndpoint } from '../http/endpoint.js'
import { badRequest, unauthorized } from '../http/http-problem.js'
import { ownerOf } from '../http/write-key.js'
import { isJsonObject, type JsonObject } from '../json-object.js'
import type { Source } from '../source.js'
import type { Sources } from '../sources.js'
import { checkBatchSize } from './batch-limits.js'
import { BodyText } from './body-text.js'
import { withIpPolicy } from './client-context.js'
import { IncomingEvent } from './incoming-event.js'
import { invalidity, isEventType } from './invalidity.js'
import { changesOf, type Envelope } from './normalize.js'

/** An event of a batch that is refused for good, alone. */
export interface RefusedEvent {
  readonly code: DeadLetterCode
  readonly reason: string
  readonly source: Source | undefined
  /** Without its write key. */
  readonly event: unknown
}

/** The events of a request that are of one source. */
export interface SourceEvents {
  readonly source: Source
  readonly events: readonly SegmentEvent[]
}

/** What a request holds: the events of each source, and those of none. */
export interface SortedEvents {
  /** Each source once. */
  readonly accepted: readonly SourceEvents[]
  readonly refused: readonly RefusedEvent[]
  /** Whose keys the request holds, each once. */
  readonly owners: readonly Source[]
}

export interface SortingContext extends Omit<Envelope, 'shared'> {
  readonly sources: Sources
  /** The source that HTTP Basic or the URL names, if any: it wins over keys in the body. */
  readonly source: Source | undefined
}

/**
 * Sorts what a request holds by source, ready for delivery.
 *
 * @throws HttpProblem 401 without a known write key, 400 where there is nothing to sort or too much
 */
export function sortEvents(
  { value: body, bytes }: Pick<JsonBody, 'value' | 'bytes'>,
  endpoint: IntakeEndpoint,
  context: SortingContext,
): SortedEvents {
  const text = bytes && new BodyText(bytes, endpoint.kind === 'batch')
  if (endpoint.kind === 'batch') return sortBatch(body, text, context)
  if (endpoint.kind === 'telemetry') return { accepted: [], refused: [], owners: [] }
  const { type } = endpoint
  const source = context.source ?? ownerOf(body, context.sources)
  if (source === undefined)
    throw unauthorized('There is no known write key; give it as HTTP Basic user name or `writeKey`')
  const problem = invalidity(body, type)
  if (problem !== undefined) throw badRequest('invalid_event', problem)
  const event = new IncomingEvent(body, changesOf(body, type, source, context), text, 0)
  return { accepted: [{ source, events: [event] }], refused: [], owners: [source] }
}

function sortBatch(body: JsonObject, text: BodyText | undefined, context: SortingContext): SortedEvents {
  const source = context.source ?? ownerOf(body, context.sources)
  const { batch, ...shared } = body
  if (!Array.isArray(batch)) throw badRequest('invalid_batch', 'The body has no `batch`, an array of events')
  checkBatchSize(batch, shared)
  const envelope: Envelope = { ...context, shared }
  const accepted = new Map<Source, SegmentEvent[]>()
  const refused: RefusedEvent[] = []
  for (const [index, event] of (batch as unknown[]).entries()) {
    const owner = source ?? ownerOf(event, context.sources)
    const type = isJsonObject(event) ? event['type'] : undefined
    const problem = invalidity(event, type)
    // One that is switched off must not refuse the events of the others.
    const isOff = source === undefined && owner?.enabled === false
    if (owner === undefined || isOff) {
      const reason = isOff ? "The event's source is switched off" : 'The event has no known write key'
      refused.push({
        code: 'ERR_UNKNOWN_WRITE_KEY',
        reason,
        source: undefined,
        event: redacted(event, owner),
      })
    } else if (problem !== undefined || !isJsonObject(event) || !isEventType(type)) {
      const reason = problem ?? 'The event is malformed'
      refused.push({ code: 'ERR_INVALID_EVENT', reason, source: owner, event: redacted(event, owner) })
    } else {
      const events = accepted.get(owner)
      const normal = new IncomingEvent(event, changesOf(event, type, owner, envelope), text, index)
      if (events === undefined) accepted.set(owner, [normal])
      else events.push(normal)
    }
  }
  // Without a key of its own a request needs one event at least that has one of ours.
  const ofEvents = [...accepted.keys(), ...refused.flatMap((it) => it.source ?? [])]
  const owners = source === undefined ? [...new Set(ofEvents)] : [source]
  if (owners.length === 0) {
    throw unauthorized('There is no known write key, neither in the request nor in its events')
  }
  return { accepted: Array.from(accepted, ([source, events]) => ({ source, events })), refused, owners }
}

/** SECURITY: a key must not be kept beside what it let in, nor an address that the source's policy keeps out. */
function redacted(event: unknown, owner: Source | undefined): unknown {
  if (!isJsonObject(event)) return event
  const { writeKey: _key, ...rest } = event
  if (owner === undefined || !isJsonObject(rest['context'])) return rest
  return { ...rest, context: withIpPolicy(rest['context'], owner.ip) }
}
