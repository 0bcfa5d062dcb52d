import cors from 'cors'
import type { Exchange } from './exchange.js'
import { ownAddressOf } from './forwarded-header.js'

const allowOrigin = cors({
  origin: true,
  methods: ['GET', 'HEAD', 'POST'],
  // `allowedHeaders` is left out on purpose: cors then allows whatever headers the preflight asks for. Tracing scripts
  // add their own (`baggage`, `traceparent`, `x-datadog-*`), and browsers block requests with headers that are not
  // allowed. SECURITY: no request header gives a page access to more.
  exposedHeaders: ['Retry-After', 'RateLimit', 'RateLimit-Policy', 'X-Request-Id'],
  // As long as any browser takes.
  maxAge: 86_400,
  // `sendBeacon` always sends credentials. SECURITY: no answer depends on them, so any origin may have it.
  credentials: true,
  preflightContinue: true,
})

/**
 * Sets what lets a page of another origin send and read the answer, refusals included. A preflight holds no write key:
 * an origin is allowed that any source allows, and whether the source of a request does is seen when its key is.
 */
export function setCorsHeaders({ req, res, site, headers }: Exchange): void {
  const { origin } = req.headers
  const isAllowed = origin !== undefined && site.sources.origins.allows(origin, ownAddressOf(req, site))
  if (isAllowed) allowOrigin(req, res, () => {})
  else if (res.hasHeader('Vary')) res.appendHeader('Vary', 'Origin')
  else headers['Vary'] = 'Origin'
}
