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
 * Decodes the text of a header. Node reads each byte as one character, under HTTP/2 too, but most senders write UTF-8
 * (RFC 9110, 5.5 leaves the encoding open). Bytes that are not valid UTF-8 stay as Node read them.
 */
function headerText(given: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range of one byte
  const isBytes = /[\x80-\xff]/.test(given) && /^[\x00-\xff]*$/.test(given)
  if (!isBytes) return given
  const bytes = Buffer.from(given, 'latin1')
  return isUtf8(bytes) ? bytes.toString('utf8') : given
}

/** Cuts a long text, but never in the middle of a surrogate pair. */
function shortened(text: string): string {
  const cut = text.slice(0, MAX_USER_AGENT_LENGTH)
  return cut.length < text.length ? cut.replace(/[\ud800-\udbff]$/, '') : cut
}
