import type { Source } from '../source.js'
import type { Exchange } from './exchange.js'
import { ownAddressOf } from './forwarded-header.js'
import { HttpProblem, unavailable } from './http-problem.js'
import { type RateLimitState, rateLimitHeaders } from './rate-limit.js'

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

/** The events of a request that count: each event of a source, the invalid ones too. */
export interface CountedEvents {
  readonly accepted: readonly { readonly source: Source; readonly events: readonly unknown[] }[]
  readonly refused: readonly { readonly source: Source | undefined }[]
}

/**
 * Charges a request's events to the limits of their sources, once the body was read and before anything is delivered.
 * A request that is refused is charged to none of them: its sender sends all of it again.
 *
 * @throws HttpProblem 429
 */
export function admitEvents(events: CountedEvents, exchange: Exchange): void {
  const limited = [...limitedEvents(events)]
  const over = limited.find(([{ eventRateLimit }, count]) => eventRateLimit?.allows(count) === false)
  for (const [source, count] of over === undefined ? limited : [over]) {
    const state = source.eventRateLimit?.take(count)
    if (state?.isAllowed === false) throw rateLimited(state, source, exchange)
    setRateLimitHeaders(tightestLimit(source), source, exchange)
  }
}

/** How many events there are of each source that limits them. */
function limitedEvents({ accepted, refused }: CountedEvents): ReadonlyMap<Source, number> {
  const counts = new Map<Source, number>()
  const add = (source: Source | undefined, count: number) => {
    if (source?.eventRateLimit !== undefined) counts.set(source, (counts.get(source) ?? 0) + count)
  }
  for (const { source, events } of accepted) add(source, events.length)
  for (const { source } of refused) add(source, 1)
  return counts
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

function limitRate(source: Source, exchange: Exchange): void {
  const state = source.rateLimit?.take()
  if (state?.isAllowed === false) throw rateLimited(state, source, exchange)
  setRateLimitHeaders(tightestLimit(source), source, exchange)
}

function rateLimited(state: RateLimitState, source: Source, exchange: Exchange): HttpProblem {
  setRateLimitHeaders(state, source, exchange)
  const message = `Too many ${state.unit ?? 'requests'} for this source; send this again later`
  return new HttpProblem(429, 'rate_limited', message, {}, source.name)
}

/** The limit of a source of which the smallest part is left: the header `RateLimit` has room for one. */
function tightestLimit(source: Source): RateLimitState | undefined {
  return limitsOf(source).sort((a, b) => a.remaining / a.limit - b.remaining / b.limit)[0]
}

function setRateLimitHeaders(state: RateLimitState | undefined, source: Source, { res }: Exchange): void {
  if (state === undefined) return
  const headers = rateLimitHeaders(state, limitsOf(source))
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value)
}

function limitsOf({ rateLimit, eventRateLimit }: Source): RateLimitState[] {
  return [rateLimit, eventRateLimit].flatMap((limit) => limit?.state ?? [])
}
