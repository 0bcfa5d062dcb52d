import type { IncomingMessage } from 'node:http'
import { clientAddressOf, type Trust } from './client-address.js'

/** Who sent a request, as far as its connection and headers say. */
export interface Sender {
  /** Of the client, not of the proxies between. */
  readonly ip: string | undefined
  readonly userAgent: string | undefined
  /** Whether a page in a browser sent it. */
  readonly isBrowser: boolean
}

/** SECURITY: each event of a batch gets a copy. No browser's is longer. */
const MAX_USER_AGENT_LENGTH = 1_024

export function senderOf(req: IncomingMessage, trust: Trust): Sender {
  const { origin, 'user-agent': userAgent, 'sec-fetch-site': site } = req.headers
  return {
    ip: clientAddressOf(req, trust),
    userAgent: userAgent?.slice(0, MAX_USER_AGENT_LENGTH),
    // Browsers alone send these, and pages cannot leave them out or set them.
    isBrowser: origin !== undefined || site !== undefined,
  }
}
