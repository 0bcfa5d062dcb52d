import type { Clock } from '../../plugin/clock.js'
import type { ByteBudget } from '../../plugin/delivery/byte-budget.js'
import { turns } from '../../plugin/turns.js'
import { forwardEvents } from '../forward/forward-events.js'
import type { Intake } from '../intake/intake.js'
import { type SortedEvents, sortEvents } from '../intake/sort-events.js'
import type { Source } from '../source.js'
import { admit, refuseIfParked } from './admission.js'
import { checkContentLength, type EventsBody, readEventsBody } from './body.js'
import type { IntakeEndpoint } from './endpoint.js'
import type { Exchange } from './exchange.js'
import { pixelBytes } from './pixel.js'
import { Reservation } from './reservation.js'
import { senderOf } from './sender.js'
import { basicWriteKey, sourceWithKey } from './write-key.js'

export interface EventsContext {
  readonly budget: ByteBudget
  readonly intake: Intake
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
  const writeKey = basicWriteKey(req)
  const source = writeKey === undefined ? undefined : sourceWithKey(site.sources, writeKey)
  if (source !== undefined) {
    admit(source, exchange)
    refuseIfParked([source])
  }
  checkContentLength(req, (bytes) => context.budget.hasRoomFor(bytes))
  const reservation = new Reservation(context.budget)
  try {
    const events = await readEvents(exchange, endpoint, { source, reservation }, context)
    // The body is no longer needed.
    reservation.shrinkTo(events.heldBytes)
    await context.intake.deliver(events, reservation)
  } finally {
    reservation.release()
  }
}

/** Apart from {@link acceptBody}, so that while it waits for delivery nothing holds the body and what was made of it. */
async function readEvents(
  exchange: Exchange,
  endpoint: IntakeEndpoint,
  { source, reservation }: { readonly source: Source | undefined; readonly reservation: Reservation },
  context: EventsContext,
): Promise<SortedEvents> {
  const body = await readEventsBody(exchange.req, reservation)
  const request = { body, source, reservation }
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
  const body = { bytes: pixelBytes(exchange.req.url ?? ''), sent: undefined }
  const reservation = new Reservation(context.budget)
  const request = { body, source: undefined, reservation }
  try {
    const events = await sort(exchange, endpoint, request, context)
    takeIn(exchange, endpoint, request, events)
    await context.intake.deliver(events, reservation)
  } finally {
    reservation.release()
  }
}

interface RequestBody {
  readonly body: EventsBody
  /** Named by HTTP Basic. */
  readonly source: Source | undefined
  readonly reservation: Reservation
}

/** What a request holds, by source. A promise where that takes long. */
function sort(
  { req, site }: Exchange,
  endpoint: IntakeEndpoint,
  { body, source, reservation }: RequestBody,
  { clock, newId }: EventsContext,
): SortedEvents | Promise<SortedEvents> {
  const sender = senderOf(req, site.trust)
  const sorting = sortEvents(body.bytes, endpoint, {
    sources: site.sources,
    source,
    sender: endpoint.kind === 'pixel' ? { ...sender, isBrowser: true } : sender,
    receivedAt: new Date(clock.wallTime()).toISOString(),
    newId,
    userAgent: req.headers['user-agent'],
    hasExactNumbers: endpoint.kind === 'pixel' || body.sent !== undefined,
    reserve: (bytes) => reservation.take(bytes),
  })
  return turns.run(sorting, body.bytes.length)
}

/** Asks each of the sources whether it takes the events, and forwards the request where that is wanted. */
function takeIn(
  exchange: Exchange,
  endpoint: IntakeEndpoint,
  { body, source }: RequestBody,
  events: SortedEvents,
): void {
  const { req, site, seen } = exchange
  const { accepted, refused, owners } = events
  for (const owner of owners) if (owner !== source) admit(owner, exchange)
  refuseIfParked(owners)
  seen.events = refused.length + accepted.reduce((sum, { events }) => sum + events.length, 0)
  const clientIp = senderOf(req, site.trust).ip
  forwardEvents({ headers: req.headers, clientIp, endpoint, body }, events)
}
