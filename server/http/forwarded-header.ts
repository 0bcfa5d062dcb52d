import type { IncomingMessage } from 'node:http'
import proxyAddr from 'proxy-addr'
import type { OwnAddress } from './allowed-origins.js'
import { isTrustedPeer, type Trust } from './client-address.js'

/** What proxies tell of the request that reached the first of them. */
export type ForwardedHeader = 'x-forwarded-host' | 'x-forwarded-proto' | 'x-forwarded-prefix'

/**
 * Reads the value that the trusted proxy nearest to the client set in a header; `undefined` if there is none.
 *
 * SECURITY: each proxy appends its value on the right of those that it received, so a client can invent the leftmost
 * ones. As in `X-Forwarded-For`, one trusted proxy vouches for the last value only, two vouch for the last two.
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

/** Counts the trusted proxies from the nearest on, up to `limit`. */
function trustedHops(req: IncomingMessage, trust: Trust, limit: number): number {
  const addresses: readonly (string | undefined)[] = proxyAddr.all(req)
  let hops = 0
  while (hops < limit && trust(addresses[hops], hops)) hops++
  return hops
}

/**
 * Returns the address whose pages count as this server's own.
 *
 * SECURITY: if `publicUrl` is set, request headers do not matter. Otherwise a page could point its own host name at this
 * server (DNS rebinding) and pass for one of ours.
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

/** HTTP/2 replaces Host by a pseudo-header, which wins if a request has both. Source: RFC 9113, 8.3.1. */
function authorityOf({ headers }: IncomingMessage): string | undefined {
  const authority = headers[':authority']
  return typeof authority === 'string' && authority !== '' ? authority : headers.host
}
