import type { Slices } from '../../plugin/slices.js'
import type { IntakeEndpoint } from '../http/endpoint.js'
import { type HttpProblem, memoryFull } from '../http/http-problem.js'
import type { Source } from '../source.js'
import { heldByRefusal, type RefusedEvent } from './refused-event.js'
import type { SortedEvents, SortingContext } from './sort-events.js'
import { unreadableBody } from './unreadable-body.js'

export interface RefusalContext extends Pick<SortingContext, 'reserve'> {
  readonly endpoint: IntakeEndpoint
  readonly userAgent: string | undefined
}

/**
 * What becomes of a body that cannot be decoded: nothing of it is accepted, and it is kept as it came.
 *
 * @throws HttpProblem 503 where memory runs out
 */
export function* refuseBody(
  sent: Buffer,
  problem: HttpProblem,
  source: Source,
  { endpoint, userAgent, reserve }: RefusalContext,
): Slices<SortedEvents> {
  const part = { bytes: sent, position: 0, offset: 0, endpoint: endpoint.path, userAgent }
  const data = yield* unreadableBody(part, source)
  const { message: reason } = problem
  const refused: RefusedEvent = { code: 'ERR_MALFORMED_BODY', reason, source, messageId: undefined, data }
  const heldBytes = heldByRefusal(refused)
  if (!reserve(heldBytes)) throw memoryFull()
  return {
    accepted: [],
    refused: [refused],
    owners: [source],
    parts: [],
    isAsSent: false,
    heldBytes,
    rejection: problem,
  }
}
