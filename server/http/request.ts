import type { IncomingMessage } from 'node:http'
import type { Clock } from '../../plugin/clock.js'
import type { ByteBudget } from '../../plugin/delivery/byte-budget.js'
import type { Intake } from '../intake/intake.js'
import { type SortedEvents, sortEvents } from '../intake/sort-events.js'
import type { Sources } from '../source.js'
import { checkContentLength, readJsonBody } from './body.js'
import { drain } from './drain.js'
import { type Endpoint, endpointOf } from './endpoint.js'
import { HttpProblem } from './http-problem.js'
import { Reservation } from './reservation.js'
import { basicWriteKey, sourceWithKey } from './write-key.js'

export interface RequestContext {
  readonly sources: Sources
  readonly budget: ByteBudget
  readonly intake: Intake
  readonly clock: Clock
  readonly newId: () => string
}

/**
 * Takes what a request holds. It resolves when all of it is durable.
 *
 * @throws HttpProblem with the answer to give
 */
export async function acceptRequest(req: IncomingMessage, context: RequestContext): Promise<void> {
  const endpoint = endpointOf(req.url ?? '/')
  if (typeof endpoint === 'string') throw new HttpProblem(404, 'not_found', 'There is nothing at this path')
  if (req.method !== 'POST') {
    throw new HttpProblem(405, 'method_not_allowed', 'This path takes POST only', { Allow: 'POST' })
  }
  if (endpoint.kind === 'telemetry') return void drain(req)
  await context.intake.deliver(await readEvents(req, endpoint, context))
}

/** What can be refused before the body is read is. */
async function readEvents(
  req: IncomingMessage,
  endpoint: Endpoint,
  { sources, budget, clock, newId }: RequestContext,
): Promise<SortedEvents> {
  const writeKey = basicWriteKey(req)
  const source = writeKey === undefined ? undefined : sourceWithKey(sources, writeKey)
  checkContentLength(req, (bytes) => budget.hasRoomFor(bytes))
  const reservation = new Reservation(budget)
  try {
    const body = await readJsonBody(req, reservation)
    const receivedAt = new Date(clock.wallTime()).toISOString()
    return sortEvents(body, endpoint, { sources, source, receivedAt, newId })
  } finally {
    // From here the destinations count the records that they make of it.
    reservation.release()
  }
}
