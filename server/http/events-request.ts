import type { Clock } from '../../plugin/clock.js'
import type { ByteBudget } from '../../plugin/delivery/byte-budget.js'
import { forwardEvents } from '../forward/forward-events.js'
import type { Intake } from '../intake/intake.js'
import { type SortedEvents, sortEvents } from '../intake/sort-events.js'
import type { Source } from '../source.js'
import { admit, admitEvents, refuseIfParked } from './admission.js'
import { checkContentLength, type JsonBody, readJsonBody } from './body.js'
import { clientAddressOf } from './client-address.js'
import type { IntakeEndpoint } from './endpoint.js'
import type { Exchange } from './exchange.js'
import type { IncomingBody } from './incoming-body.js'
import { networkOf } from './ip-address.js'
import type { MemoryAdmission } from './memory-admission.js'
import { pixelEvent } from './pixel.js'
import { Reservation } from './reservation.js'
import { senderOf } from './sender.js'
import { basicWriteKey, sourceWithKey } from './write-key.js'

export interface EventsContext {
  readonly budget: ByteBudget
  readonly memory: MemoryAdmission
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
  const reservation = context.memory.receive({
    source: source?.id,
    network: () => networkOf(clientAddressOf(req, site.trust)),
    isWhole: () => req.complete,
  })
  try {
    const events = await readEvents(exchange, endpoint, { source, reservation }, context)
    await context.intake.deliver(events, reservation)
  } finally {
    reservation.release()
  }
}

/** Apart from {@link acceptBody}, so that while it waits for delivery nothing holds the body and what it was parsed to. */
async function readEvents(
  exchange: Exchange,
  endpoint: IntakeEndpoint,
  { source, reservation }: { readonly source: Source | undefined; readonly reservation: IncomingBody },
  context: EventsContext,
): Promise<SortedEvents> {
  const body = await readJsonBody(exchange.req, reservation)
  reservation.settle()
  return takeEvents(exchange, endpoint, { body, source }, context)
}

/** {@link acceptBody} for the event in the URL of a pixel, which is always seen by a device. */
export async function acceptPixel(
  exchange: Exchange,
  endpoint: IntakeEndpoint,
  context: EventsContext,
): Promise<void> {
  const body = { value: pixelEvent(exchange.req.url ?? ''), bytes: undefined, sent: undefined }
  const events = takeEvents(exchange, endpoint, { body, source: undefined }, context)
  // A URL is no larger than Node's headers may be: it is not counted.
  await context.intake.deliver(events, new Reservation(context.budget))
}

/** What a request holds by source, each of them asked, and forwarded where that is wanted. */
function takeEvents(
  exchange: Exchange,
  endpoint: IntakeEndpoint,
  { body, source }: { readonly body: JsonBody; readonly source: Source | undefined },
  { clock, newId }: EventsContext,
): SortedEvents {
  const { req, site, seen } = exchange
  const sender = senderOf(req, site.trust)
  const events = sortEvents(body, endpoint, {
    sources: site.sources,
    source,
    sender: endpoint.kind === 'pixel' ? { ...sender, isBrowser: true } : sender,
    receivedAt: new Date(clock.wallTime()).toISOString(),
    newId,
  })
  const { accepted, refused, owners } = events
  for (const owner of owners) if (owner !== source) admit(owner, exchange)
  refuseIfParked(owners)
  seen.events = refused.length + accepted.reduce((sum, { events }) => sum + events.length, 0)
  admitEvents(events, exchange)
  forwardEvents({ headers: req.headers, clientIp: sender.ip, endpoint, body, source }, site.sources, accepted)
  return events
}
