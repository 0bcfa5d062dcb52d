import type { IncomingMessage } from 'node:http'
import { isTrustedPeer, type Trust } from './client-address.js'

/** The host that the client asked for: a trusted proxy may have put its own in its place. */
export function hostOf(req: IncomingMessage, trust: Trust): string | undefined {
  const forwarded = req.headers['x-forwarded-host']
  if (forwarded === undefined || !isTrustedPeer(req, trust)) return req.headers.host
  return String(forwarded).split(',', 1)[0]?.trim()
}
