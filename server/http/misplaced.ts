import type { IncomingMessage } from 'node:http'
import type { Endpoints } from './endpoint.js'

/** A request as Express and Connect hand it on. */
type MountedRequest = IncomingMessage & {
  readonly baseUrl?: unknown
  readonly originalUrl?: unknown
  readonly route?: { readonly stack?: readonly { readonly handle?: unknown }[] }
}

/** A request for events that did not find its endpoint, because of where this middleware is mounted. */
export interface Misplaced {
  /** What is wrong, and how to mend it. SECURITY: it holds nothing of the request. */
  readonly hint: string
  /** Whether no handler but this can have been meant. Else another may still take the request. */
  readonly isCertain: boolean
}

export interface MisplacedParts {
  readonly endpoints: Endpoints
  /** The middleware itself. */
  readonly handler: unknown
  readonly hasNext: boolean
}

/** Why a request whose path is none of ours was meant for us all the same; `undefined` where it was not. */
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
  // `app.use(path, …)` takes the path off the URL, and `app.post(path, …)` does not.
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
