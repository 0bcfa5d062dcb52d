import type { Clock } from '../../plugin/clock.js'
import type { ByteBudget } from '../../plugin/delivery/byte-budget.js'
import { SLICE_BYTES } from '../../plugin/slices.js'
import { turns } from '../../plugin/turns.js'
import { forwardEvents } from '../forward/forward-events.js'
import type { Intake } from '../intake/intake.js'
import { refuseBody } from '../intake/refuse-body.js'
import { type SortedEvents, sortEvents } from '../intake/sort-events.js'
import { admit, admitEvents, refuseIfParked } from './admission.js'
import type { AnswerDeadlines } from './answer-deadlines.js'
import { clientAddressOf } from './client-address.js'
import type { IntakeEndpoint } from './endpoint.js'
import type { Exchange } from './exchange.js'
import type { IncomingBody } from './incoming-body.js'
import { networkOf } from './ip-address.js'
import type { MemoryAdmission } from './memory-admission.js'
import { pixelBytes } from './pixel.js'
import { checkContentLength, type RequestBody, readBody, UndecodableBody } from './read-body.js'
import { Reservation } from './reservation.js'
import { senderOf } from './sender.js'
import { type NamedSource, sourceNamedIn } from './write-key.js'

/**
 * When a request is answered at the latest, in ms after its headers came. Segment's Ruby SDK gives up on an answer after
 * 8 s, those for Node and Go after 10, and each time-out costs one of their few tries.
 */
const ANSWER_TIMEOUT_MS = 7_500

/** What is left for a body that took long to arrive. */
const LEAST_DELIVERY_MS = 2_000

export interface EventsContext {
  readonly budget: ByteBudget
  readonly memory: MemoryAdmission
  readonly intake: Intake
  readonly deadlines: AnswerDeadlines
  readonly clock: Clock
  readonly newId: () => string
}

/**
 * Takes the events in the body. It resolves when all of them are durable. What can be refused before the body is read
 * is.
 *
 * @throws HttpProblem with the answer to give
 */
export async function acceptBody(
  exchange: Exchange,
  endpoint: IntakeEndpoint,
  context: EventsContext,
): Promise<void> {
  const { req, site } = exchange
  const keyInUrl = endpoint.kind === 'batch' ? endpoint.keyInUrl : undefined
  const named = sourceNamedIn(req, site.sources, keyInUrl)
  if (named !== undefined) {
    admit(named.source, exchange)
    refuseIfParked([named.source])
  }
  checkContentLength(req, (bytes) => context.budget.hasRoomFor(bytes))
  const reservation = context.memory.receive({
    source: named?.source.id,
    network: () => networkOf(clientAddressOf(req, site.trust)),
    isWhole: () => req.complete,
  })
  const startedAt = context.clock.now()
  let delivery: Promise<void>
  try {
    const events = await readEvents(exchange, endpoint, { named, reservation }, context)
    // The body is no longer needed.
    reservation.shrinkTo(events.heldBytes)
    delivery = context.intake.deliver(events, reservation)
  } catch (error) {
    reservation.release()
    throw error
  }
  const waited = context.clock.now() - startedAt
  const ms = Math.max(ANSWER_TIMEOUT_MS - waited, LEAST_DELIVERY_MS)
  await context.deadlines.inTime(delivery, ms, () => reservation.release())
}

/** Apart from {@link acceptBody}, so that while it waits for delivery nothing holds the body and what was made of it. */
async function readEvents(
  exchange: Exchange,
  endpoint: IntakeEndpoint,
  { named, reservation }: { readonly named: NamedSource | undefined; readonly reservation: IncomingBody },
  context: EventsContext,
): Promise<SortedEvents> {
  let body: RequestBody
  try {
    body = await readBody(exchange.req, reservation)
  } catch (error) {
    if (!(error instanceof UndecodableBody) || named === undefined) throw error
    reservation.settle()
    const { userAgent } = senderOf(exchange.req, exchange.site.trust)
    const reserve = (bytes: number) => reservation.take(bytes)
    const refusal = refuseBody(error.sent, error, named.source, { endpoint, userAgent, reserve })
    return turns.run(refusal, error.sent.length)
  }
  reservation.settle()
  // SECURITY: while a large body is worked on, in turns, it counts as its source's: others need room meanwhile.
  const share = body.bytes.length > SLICE_BYTES ? named?.source.memory : undefined
  if (share !== undefined) reservation.moveTo(share)
  const request = { body, named, reservation }
  const sorted = sort(exchange, endpoint, request, context)
  // The events of a usual request are sorted by now: a promise would cost it more than they do.
  const events = sorted instanceof Promise ? await sorted : sorted
  takeIn(exchange, endpoint, request, events)
  return events
}

/** {@link acceptBody} for the event in the URL of a pixel, which is always seen by a device. */
export async function acceptPixel(
  exchange: Exchange,
  endpoint: IntakeEndpoint,
  context: EventsContext,
): Promise<void> {
  const body = { bytes: pixelBytes(exchange.req.url ?? ''), sent: undefined, hasExactNumbers: true }
  const reservation = new Reservation(context.budget)
  const request = { body, named: undefined, reservation }
  try {
    const events = await sort(exchange, endpoint, request, context)
    takeIn(exchange, endpoint, request, events)
    await context.intake.deliver(events, reservation)
  } finally {
    reservation.release()
  }
}

interface ReadRequest {
  readonly body: RequestBody
  /** The source that HTTP Basic or the URL names, if any. */
  readonly named: NamedSource | undefined
  readonly reservation: Reservation
}

/** What a request holds, by source. A promise where that takes long. */
function sort(
  { req, site }: Exchange,
  endpoint: IntakeEndpoint,
  { body, named, reservation }: ReadRequest,
  { clock, newId }: EventsContext,
): SortedEvents | Promise<SortedEvents> {
  const sender = senderOf(req, site.trust)
  const sorting = sortEvents(body.bytes, endpoint, {
    sources: site.sources,
    source: named?.source,
    sender: endpoint.kind === 'pixel' ? { ...sender, isBrowser: true } : sender,
    receivedAt: new Date(clock.wallTime()).toISOString(),
    newId,
    hasExactNumbers: body.hasExactNumbers,
    reserve: (bytes) => reservation.take(bytes),
  })
  return turns.run(sorting, body.bytes.length)
}

/** Asks each of the sources whether it takes the events, and forwards the request where that is wanted. */
function takeIn(
  exchange: Exchange,
  endpoint: IntakeEndpoint,
  { body, named }: ReadRequest,
  events: SortedEvents,
): void {
  const { req, site, seen } = exchange
  const { accepted, refused, owners } = events
  for (const owner of owners) if (owner !== named?.source) admit(owner, exchange)
  refuseIfParked(owners)
  seen.events = refused.length + accepted.reduce((sum, { events }) => sum + events.length, 0)
  admitEvents(events, exchange)
  const clientIp = senderOf(req, site.trust).ip
  forwardEvents({ headers: req.headers, clientIp, endpoint, body, named }, events)
}
