import { isUtf8 } from 'node:buffer'
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
    userAgent: userAgent === undefined ? undefined : shortened(headerText(userAgent)),
    // Browsers alone send these, and pages cannot leave them out or set them.
    isBrowser: origin !== undefined || site !== undefined,
  }
}

/**
 * The text of a header as its sender meant it. Node reads each byte as a character, over HTTP/2 too, but senders write
 * UTF-8 as a rule (RFC 9110, 5.5 leaves it open). Bytes that are no UTF-8 stay as Node reads them.
 */
function headerText(given: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all characters that stand for a byte
  const isBytes = /[\x80-\xff]/.test(given) && /^[\x00-\xff]*$/.test(given)
  if (!isBytes) return given
  const bytes = Buffer.from(given, 'latin1')
  return isUtf8(bytes) ? bytes.toString('utf8') : given
}

/** Never ends in half of a surrogate pair, which is no text. */
function shortened(text: string): string {
  const cut = text.slice(0, MAX_USER_AGENT_LENGTH)
  return cut.length < text.length ? cut.replace(/[\ud800-\udbff]$/, '') : cut
}
