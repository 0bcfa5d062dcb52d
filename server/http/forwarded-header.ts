import type { IncomingMessage } from 'node:http'
import proxyAddr from 'proxy-addr'
import type { OwnAddress } from './allowed-origins.js'
import { isTrustedPeer, type Trust } from './client-address.js'

/** What proxies tell of the request that reached the first of them. */
export type ForwardedHeader = 'x-forwarded-host' | 'x-forwarded-proto' | 'x-forwarded-prefix'

/**
 * What the trusted proxies say in a header, or `undefined` where they say nothing.
 *
 * SECURITY: each proxy appends its own value on the right of those that it was sent, so the leftmost one may be the
 * client's invention. As in `X-Forwarded-For`, one trusted proxy vouches for the last value only, two for the last two;
 * the value that counts is the one of the trusted proxy that is nearest to the client.
 */
export function forwardedHeader(
  req: IncomingMessage,
  name: ForwardedHeader,
  trust: Trust,
): string | undefined {
  const given = req.headers[name]
  if (given === undefined || !isTrustedPeer(req, trust)) return undefined
  const values = String(given).split(',')
  const trusted = values.length === 1 ? 1 : trustedHops(req, trust, values.length)
  return values[values.length - trusted]?.trim() || undefined
}

/** How many proxies are trusted, from the nearest on and up to `limit`. */
function trustedHops(req: IncomingMessage, trust: Trust, limit: number): number {
  const addresses: readonly (string | undefined)[] = proxyAddr.all(req)
  let hops = 0
  while (hops < limit && trust(addresses[hops], hops)) hops++
  return hops
}

/**
 * Where this server is, for the pages of its own. SECURITY: where `publicUrl` says it, no header of a request has a
 * say: a page whose own host name leads here (DNS rebinding) would else pass for one of ours.
 */
export function ownAddressOf(
  req: IncomingMessage,
  { publicUrl, trust }: { readonly publicUrl: OwnAddress | undefined; readonly trust: Trust },
): OwnAddress {
  return publicUrl ?? { host: hostOf(req, trust) }
}

/** The host that the client asked for: a trusted proxy may have put its own in its place. */
export function hostOf(req: IncomingMessage, trust: Trust): string | undefined {
  return forwardedHeader(req, 'x-forwarded-host', trust) ?? authorityOf(req)
}

/** HTTP/2 has a pseudo-header in place of Host, and where both are there it counts. Source: RFC 9113, 8.3.1. */
function authorityOf({ headers }: IncomingMessage): string | undefined {
  const authority = headers[':authority']
  return typeof authority === 'string' && authority !== '' ? authority : headers.host
}
