import type { SegmentEvent } from '../../plugin/event.js'
import { skipSpace } from '../../plugin/json/json-spans.js'
import { JsonSyntaxError } from '../../plugin/json/json-syntax-error.js'
import { SLICE_BYTES, type Slices } from '../../plugin/slices.js'
import type { IntakeEndpoint } from '../http/endpoint.js'
import { badRequest, type HttpProblem, memoryFull, unauthorized } from '../http/http-problem.js'
import type { Source } from '../source.js'
import type { Sources } from '../sources.js'
import { AcceptedPart } from './accepted-part.js'
import { MAX_BATCH_EVENTS, type ScannedBody, scanBody } from './body-scanner.js'
import { type Envelope, normalize } from './normalize.js'
import { type BrokenPiece, recoverBody } from './recover-body.js'
import { heldByRefusal, type RefusedEvent, refusalOf } from './refused-event.js'
import { ScannedEvent } from './scanned-event.js'
import { SharedMembers } from './shared-members.js'
import { sourceNamedIn, unreadableBody } from './unreadable-body.js'
import { isEventType, typeOf, validateEvent } from './validate-event.js'

/** The events of a request that are of one source. */
export interface SourceEvents {
  readonly source: Source
  readonly events: readonly SegmentEvent[]
}

/** What an event costs beside its bytes, in bytes that are copied meanwhile: for slices that take about as long. */
const EVENT_COST = 512

/** What a request holds: the events of each source, and what is refused. */
export interface SortedEvents {
  /** Each source once. */
  readonly accepted: readonly SourceEvents[]
  readonly refused: readonly RefusedEvent[]
  /** The sources whose keys the request holds, each once. */
  readonly owners: readonly Source[]
  /** What was accepted, for those who hand the request on. */
  readonly parts: readonly AcceptedPart[]
  /** Whether the whole body is of the form that Segment's API asks for. */
  readonly isAsSent: boolean
  /** Bytes of what is above. */
  readonly heldBytes: number
  /** The answer where nothing can be delivered and the sender is told so. */
  readonly rejection: HttpProblem | undefined
}

export interface SortingContext extends Omit<Envelope, 'shared'> {
  readonly sources: Sources
  /** The source that HTTP Basic or the URL names, if any: it wins over keys in the body. */
  readonly source: Source | undefined
  /** Takes memory for what is made of the body. Returns whether there is enough. */
  readonly reserve: (bytes: number) => boolean
}

/**
 * Sorts what a request holds by source, ready for delivery. Whole events of a body that is broken elsewhere are
 * accepted, and the rest of it is refused.
 *
 * @param bytes - JSON as it should be, UTF-8 as far as it is
 * @throws HttpProblem 401 without a known write key (400 if the body cannot be read either), 503 where memory runs out
 */
export function* sortEvents(
  bytes: Buffer,
  endpoint: IntakeEndpoint,
  context: SortingContext,
): Slices<SortedEvents> {
  const sorting = new Sorting(bytes, endpoint, context)
  try {
    yield* sorting.add(yield* scanBody(bytes, endpoint.kind === 'batch'))
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error
    yield* sorting.addBroken(error)
  }
  return sorting.sorted()
}

class Sorting {
  readonly #bytes: Buffer
  readonly #endpoint: IntakeEndpoint
  readonly #context: SortingContext
  readonly #accepted = new Map<Source, SegmentEvent[]>()
  readonly #refused: RefusedEvent[] = []
  readonly #owners = new Set<Source>()
  readonly #parts: AcceptedPart[] = []
  #isBroken = false
  #hasKeysInEvents = false
  #heldBytes = 0
  /** Since the last pause, in bytes. */
  #cost = 0
  #rejection: HttpProblem | undefined
  #envelope: Envelope

  constructor(bytes: Buffer, endpoint: IntakeEndpoint, context: SortingContext) {
    this.#envelope = context
    this.#bytes = bytes
    this.#endpoint = endpoint
    this.#context = context
  }

  /** @throws HttpProblem 401 */
  sorted(): SortedEvents {
    // Without a key of its own a request needs one event at least that has one of ours.
    if (this.#owners.size === 0) throw unauthorized(NO_KEY)
    return {
      accepted: Array.from(this.#accepted, ([source, events]) => ({ source, events })),
      refused: this.#refused,
      owners: [...this.#owners],
      parts: this.#parts,
      // SECURITY: a batch whose events have keys of their own may hold events of others.
      isAsSent: !this.#isBroken && !this.#hasKeysInEvents && this.#parts.every((part) => part.isOfUsualForm),
      heldBytes: this.#heldBytes,
      rejection: this.#rejection,
    }
  }

  /** Adds a body, or what was recovered of one. */
  *add(body: ScannedBody): Slices<void> {
    // A single event may be as large as the body.
    if (body.bytes.length > SLICE_BYTES) yield
    const root = new ScannedEvent(body, 0)
    const source = this.#context.source ?? this.#ownerOf(root)
    if (source !== undefined) this.#owners.add(source)
    if (body.kind === 'object') yield* this.#addSingle(body, root, source)
    else yield* this.#addBatch(body, root, source)
  }

  /** Adds what is whole of a body that is not valid JSON. */
  *addBroken(error: JsonSyntaxError): Slices<void> {
    this.#isBroken = true
    const isForBatch = this.#endpoint.kind === 'batch'
    const recovered = yield* recoverBody(this.#bytes, isForBatch)
    if (recovered === undefined) return yield* this.#rejectBody(tooManyEvents('body'), this.#context.source)
    for (const document of recovered.documents) yield* this.add(yield* scanBody(document, isForBatch))
    const owner =
      this.#context.source ??
      [...this.#owners][0] ??
      (yield* sourceNamedIn(this.#bytes, this.#context.sources))
    if (owner !== undefined && this.#accepted.size > 0) {
      for (const piece of recovered.broken) yield* this.#refusePiece(piece, owner, error.message)
      return
    }
    for (const refused of this.#refused.splice(0)) this.#heldBytes -= heldByRefusal(refused)
    const problem = badRequest('malformed_json', wordsFor(this.#bytes, error))
    yield* this.#rejectBody(problem, owner, error.position)
  }

  *#addSingle(body: ScannedBody, event: ScannedEvent, source: Source | undefined): Slices<void> {
    const problem = this.#problemOf(event)
    if (problem !== undefined) return yield* this.#rejectBody(problem, source)
    if (source === undefined) throw unauthorized(NO_KEY)
    const type = 'type' in this.#endpoint ? this.#endpoint.type : event.valueOf('type')
    const invalid = validateEvent(event, type)
    if (invalid === undefined && isEventType(type)) {
      this.#addPart(body, new Map([[0, source]]))
      return this.#accept(event, type, source, undefined)
    }
    this.#refuse(refusalOf(event, 'ERR_INVALID_EVENT', invalid ?? MALFORMED, source))
    this.#rejection = badRequest('invalid_event', invalid ?? MALFORMED)
  }

  /** What is wrong with a body that should be one event. */
  #problemOf(event: ScannedEvent): HttpProblem | undefined {
    if (!event.isObject) return badRequest('invalid_request', 'The body must be a JSON object')
    const isEvent = this.#endpoint.kind !== 'batch' || event.has('type')
    return isEvent ? undefined : badRequest('invalid_batch', 'The body has no `batch`, an array of events')
  }

  *#addBatch(body: ScannedBody, root: ScannedEvent, source: Source | undefined): Slices<void> {
    const problem = this.#problemOfBatch(body)
    if (problem !== undefined) return yield* this.#rejectBody(problem, source ?? this.#firstOwner(body))
    const shared = body.kind === 'batch' ? new SharedMembers(root) : undefined
    const tooLarge = shared?.problemWith(body.count)
    if (tooLarge !== undefined) return yield* this.#rejectBody(tooLarge, source ?? this.#firstOwner(body))
    if (source === undefined) this.#hasKeysInEvents = true
    const owners = new Map<number, Source>()
    for (let row = 1; row <= body.count; row++) {
      if (this.#isPauseDue()) yield
      const owner = this.#addElement(new ScannedEvent(body, row), source, shared)
      if (owner !== undefined) owners.set(row, owner)
    }
    this.#addPart(body, owners)
  }

  #addPart(body: ScannedBody, owners: ReadonlyMap<number, Source>): void {
    this.#parts.push(new AcceptedPart(body, owners, this.#endpoint.kind === 'batch'))
  }

  #problemOfBatch({ kind, count }: ScannedBody): HttpProblem | undefined {
    if (this.#endpoint.kind !== 'batch')
      return badRequest('invalid_request', 'The body must be a JSON object; send several events to /v1/batch')
    if (count <= MAX_BATCH_EVENTS) return undefined
    return tooManyEvents(kind === 'batch' ? 'batch' : 'array', count)
  }

  #firstOwner(body: ScannedBody): Source | undefined {
    for (let row = 1; row <= Math.min(body.count, MAX_BATCH_EVENTS); row++) {
      const owner = this.#ownerOf(new ScannedEvent(body, row))
      if (owner !== undefined) return owner
    }
    return undefined
  }

  /** Returns the source of the event if it was accepted. */
  #addElement(
    event: ScannedEvent,
    source: Source | undefined,
    shared: SharedMembers | undefined,
  ): Source | undefined {
    const owner = source ?? this.#ownerOf(event)
    // An event of a source that is switched off must not refuse the events of the others.
    const isOff = source === undefined && owner?.enabled === false
    if (owner === undefined || isOff) {
      const reason = isOff ? "The event's source is switched off" : 'The event has no known write key'
      this.#refuse({ ...refusalOf(event, 'ERR_UNKNOWN_WRITE_KEY', reason, owner), source: undefined })
      return undefined
    }
    this.#owners.add(owner)
    const type = typeOf(event)
    const invalid = validateEvent(event, type)
    if (invalid === undefined && isEventType(type)) {
      this.#accept(event, type, owner, shared)
      return owner
    }
    this.#refuse(refusalOf(event, 'ERR_INVALID_EVENT', invalid ?? MALFORMED, owner))
    return undefined
  }

  #accept(
    event: ScannedEvent,
    type: Parameters<typeof normalize>[1],
    source: Source,
    shared: SharedMembers | undefined,
  ): void {
    if (this.#envelope.shared !== shared) this.#envelope = { ...this.#context, shared }
    const normal = normalize(event, type, source, this.#envelope)
    this.#reserve(normal.heldBytes)
    const events = this.#accepted.get(source)
    if (events === undefined) this.#accepted.set(source, [normal])
    else events.push(normal)
  }

  #refuse(refused: RefusedEvent): void {
    this.#reserve(heldByRefusal(refused))
    this.#refused.push(refused)
  }

  /** @throws HttpProblem 503 */
  #reserve(bytes: number): void {
    if (!this.#context.reserve(bytes)) throw memoryFull()
    this.#heldBytes += bytes
    this.#cost += bytes + EVENT_COST
  }

  #isPauseDue(): boolean {
    if (this.#cost < SLICE_BYTES) return false
    this.#cost = 0
    return true
  }

  /** Refuses the whole body, and keeps it where its source is known. */
  *#rejectBody(problem: HttpProblem, owner: Source | undefined, position = 0): Slices<void> {
    const source = owner ?? (yield* sourceNamedIn(this.#bytes, this.#context.sources))
    if (source === undefined) throw problem
    this.#owners.add(source)
    this.#rejection = problem
    if (this.#bytes.length === 0) return
    const whole = { start: 0, end: this.#bytes.length, position }
    yield* this.#refusePiece(whole, source, problem.message)
  }

  *#refusePiece(piece: BrokenPiece, source: Source, reason: string): Slices<void> {
    const { start, end, position } = piece
    const { userAgent } = this.#context.sender
    const bytes = this.#bytes.subarray(start, end)
    const part = { bytes, position, offset: start, endpoint: this.#endpoint.path, userAgent }
    const data = yield* unreadableBody(part, source)
    this.#refuse({ code: 'ERR_MALFORMED_BODY', reason, source, messageId: undefined, data })
    if (this.#isPauseDue()) yield
  }

  #ownerOf(event: ScannedEvent): Source | undefined {
    const writeKey = event.stringOf('writeKey')
    return writeKey ? this.#context.sources.withKey(writeKey) : undefined
  }
}

const NO_KEY = 'There is no known write key, neither in the request nor in its events'
const MALFORMED = 'The event is malformed'

function tooManyEvents(what: string, count?: number): HttpProblem {
  const many = count === undefined ? 'too many' : String(count)
  return badRequest('batch_too_large', `The ${what} has ${many} events; send ${MAX_BATCH_EVENTS} at most`)
}

function wordsFor(bytes: Buffer, { isTooDeep, position, message }: JsonSyntaxError): string {
  if (skipSpace(bytes, 0) === bytes.length) return 'The body is empty; send JSON'
  return isTooDeep
    ? `The body cannot be taken: ${message}`
    : `The body is not valid JSON (at byte ${position})`
}
