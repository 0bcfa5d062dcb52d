import type { IncomingMessage } from 'node:http'
import { isTrustedPeer, type Trust } from './client-address.js'

/** What proxies tell of the request that reached the first of them. */
export type ForwardedHeader = 'x-forwarded-host' | 'x-forwarded-proto' | 'x-forwarded-prefix'

/** The first value of a header: each proxy on the way adds its own to the right. Only trusted proxies may tell it. */
export function forwardedHeader(req: IncomingMessage, name: ForwardedHeader): string | undefined {
  return (
    String(req.headers[name] ?? '')
      .split(',', 1)[0]
      ?.trim() || undefined
  )
}

/** The host that the client asked for: a trusted proxy may have put its own in its place. */
export function hostOf(req: IncomingMessage, trust: Trust): string | undefined {
  const forwarded = isTrustedPeer(req, trust) ? forwardedHeader(req, 'x-forwarded-host') : undefined
  return forwarded ?? req.headers.host
}
