import type { Source } from '../source.js'
import type { Exchange } from './exchange.js'
import { ownAddressOf } from './forwarded-header.js'
import { HttpProblem, unavailable } from './http-problem.js'
import { rateLimitHeaders } from './rate-limit.js'

/**
 * Lets a request in for a source, or says why not. Called as soon as the source is known: before the body is read
 * where HTTP Basic names it.
 *
 * @throws HttpProblem 401, 403 or 429
 */
export function admit(source: Source, exchange: Exchange): void {
  exchange.seen.source = source.name
  if (!source.enabled) throw new HttpProblem(401, 'source_disabled', 'The source is switched off')
  checkOrigin(source, exchange)
  limitRate(source, exchange)
}

/** @throws HttpProblem 503 where none of the sources has a stream that takes records */
export function refuseIfParked(sources: readonly Source[]): void {
  if (sources.length === 0 || sources.some(({ destination }) => !destination.isParked())) return
  throw unavailable('not_delivered', 'The events could not be delivered for now; send them again later')
}

function checkOrigin({ origins }: Source, { req, site }: Exchange): void {
  const { origin } = req.headers
  if (origin === undefined || origins.allows(origin, ownAddressOf(req, site))) return
  throw new HttpProblem(403, 'origin_not_allowed', 'Pages of this origin may not send to this source')
}

function limitRate({ rateLimit }: Source, { res }: Exchange): void {
  if (rateLimit === undefined) return
  const state = rateLimit.take()
  const headers = rateLimitHeaders(state)
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value)
  if (state.isAllowed) return
  throw new HttpProblem(429, 'rate_limited', 'Too many requests for this source; send this again later')
}
