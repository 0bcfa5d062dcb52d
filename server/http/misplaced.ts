import type { IncomingMessage } from 'node:http'
import type { Endpoints } from './endpoint.js'

/** A request as Express and Connect hand it on. */
type MountedRequest = IncomingMessage & {
  readonly baseUrl?: unknown
  readonly originalUrl?: unknown
  readonly route?: { readonly stack?: readonly { readonly handle?: unknown }[] }
}

/** A request for events that finds no endpoint because the middleware is mounted at the wrong place. */
export interface Misplaced {
  /** How to fix it. SECURITY: this must contain nothing from the request. */
  readonly hint: string
  /** Whether the request was meant for this middleware beyond doubt. If not, another handler may still take it. */
  readonly isCertain: boolean
}

export interface MisplacedParts {
  readonly endpoints: Endpoints
  /** The middleware itself. */
  readonly handler: unknown
  readonly hasNext: boolean
}

/** Finds out whether a request that matches no endpoint was meant for this middleware all the same. */
export function misplaced(
  req: MountedRequest,
  { endpoints, handler, hasNext }: MisplacedParts,
): Misplaced | undefined {
  if (req.method !== 'POST') return undefined
  const path = pathOf(req)
  const start = path.lastIndexOf('/v1/')
  const endpoint = start < 0 ? undefined : endpoints.at(path.slice(start))
  if (typeof endpoint !== 'object' || (endpoint.kind !== 'batch' && endpoint.kind !== 'event'))
    return undefined
  // `app.use(path, …)` removes the path from the URL; `app.post(path, …)` does not.
  if (req.route?.stack?.at(-1)?.handle === handler) {
    return { hint: 'mount the middleware with app.use(path, proxy), not with app.post()', isCertain: true }
  }
  const mount = typeof req.baseUrl === 'string' ? req.baseUrl : ''
  if (start < mount.length) {
    return { hint: 'mount the middleware at the path before /v1, and not below it', isCertain: true }
  }
  const hint =
    'paths must begin with /v1 when they get here: mount the middleware at what comes before, or leave it out of the URL'
  return { hint, isCertain: !hasNext }
}

function pathOf({ originalUrl, url }: MountedRequest): string {
  const [path = ''] = String(originalUrl ?? url).split('?', 1)
  return path
}
