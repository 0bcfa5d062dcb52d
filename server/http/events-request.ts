import type { Clock } from '../../plugin/clock.js'
import type { ByteBudget } from '../../plugin/delivery/byte-budget.js'
import { forwardEvents } from '../forward/forward-events.js'
import type { Intake } from '../intake/intake.js'
import { type SortedEvents, sortEvents } from '../intake/sort-events.js'
import { admit, refuseIfParked } from './admission.js'
import { checkContentLength, type EventsBody, readEventsBody } from './body.js'
import type { IntakeEndpoint } from './endpoint.js'
import type { Exchange } from './exchange.js'
import { pixelBytes } from './pixel.js'
import { Reservation } from './reservation.js'
import { senderOf } from './sender.js'
import { type NamedSource, sourceNamedIn } from './write-key.js'

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
  const keyInUrl = endpoint.kind === 'batch' ? endpoint.keyInUrl : undefined
  const named = sourceNamedIn(req, site.sources, keyInUrl)
  if (named !== undefined) {
    admit(named.source, exchange)
    refuseIfParked([named.source])
  }
  checkContentLength(req, (bytes) => context.budget.hasRoomFor(bytes))
  const reservation = new Reservation(context.budget)
  try {
    const events = await readEvents(exchange, endpoint, { named, reservation }, context)
    // The body is no longer needed.
    reservation.shrinkTo(events.heldBytes)
    await context.intake.deliver(events, reservation)
  } finally {
    reservation.release()
  }
}

/** Apart from {@link acceptBody}, so that while it waits for delivery nothing holds the body and what it was parsed to. */
async function readEvents(
  exchange: Exchange,
  endpoint: IntakeEndpoint,
  { named, reservation }: { readonly named: NamedSource | undefined; readonly reservation: Reservation },
  context: EventsContext,
): Promise<SortedEvents> {
  const body = await readEventsBody(exchange.req, reservation)
  return takeEvents(exchange, endpoint, { body, named, reservation }, context)
}

/** {@link acceptBody} for the event in the URL of a pixel, which is always seen by a device. */
export async function acceptPixel(
  exchange: Exchange,
  endpoint: IntakeEndpoint,
  context: EventsContext,
): Promise<void> {
  const body = { bytes: pixelBytes(exchange.req.url ?? ''), sent: undefined }
  const reservation = new Reservation(context.budget)
  try {
    const events = takeEvents(exchange, endpoint, { body, named: undefined, reservation }, context)
    await context.intake.deliver(events, reservation)
  } finally {
    reservation.release()
  }
}

interface RequestBody {
  readonly body: EventsBody
  /** The source that HTTP Basic or the URL names, if any. */
  readonly named: NamedSource | undefined
  readonly reservation: Reservation
}

/** What a request holds by source, each of them asked, and forwarded where that is wanted. */
function takeEvents(
  exchange: Exchange,
  endpoint: IntakeEndpoint,
  { body, named, reservation }: RequestBody,
  { clock, newId }: EventsContext,
): SortedEvents {
  const { req, site, seen } = exchange
  const sender = senderOf(req, site.trust)
  const events = sortEvents(body.bytes, endpoint, {
    sources: site.sources,
    source: named?.source,
    sender: endpoint.kind === 'pixel' ? { ...sender, isBrowser: true } : sender,
    receivedAt: new Date(clock.wallTime()).toISOString(),
    newId,
    hasExactNumbers: endpoint.kind === 'pixel' || body.sent !== undefined,
    reserve: (bytes) => reservation.take(bytes),
  })
  const { accepted, refused, owners } = events
  for (const owner of owners) if (owner !== named?.source) admit(owner, exchange)
  refuseIfParked(owners)
  seen.events = refused.length + accepted.reduce((sum, { events }) => sum + events.length, 0)
  forwardEvents({ headers: req.headers, clientIp: sender.ip, endpoint, body, named }, events)
  return events
}
