import { isUtf8 } from 'node:buffer'
import { COLON, QUOTE } from '../../plugin/json/json-bytes.js'
import { skipSpace } from '../../plugin/json/json-spans.js'
import type { Source } from '../source.js'
import type { Sources } from '../sources.js'
import { endOfBrokenString } from './broken-json.js'
import { type IpPolicy, withPolicy } from './ip-policy.js'

const MAX_USER_AGENT_LENGTH = 256

/** What a dead letter holds of a request that could not be read, or of a part of it. */
export interface UnreadableBody {
  /** What came, as text or base64. Write keys, and addresses that the source does not keep, are taken out of text. */
  readonly body: string
  readonly encoding: 'utf8' | 'base64'
  /** Where the first byte is that cannot be read, from the beginning of the request's body. */
  readonly position: number
  /** Where the part begins, from the beginning of the request's body. */
  readonly offset: number
  readonly endpoint: string
  readonly userAgent: string | null
}

export interface UnreadablePart {
  readonly bytes: Buffer
  readonly position: number
  readonly offset: number
  readonly endpoint: string
  readonly userAgent: string | undefined
}

/** Makes what a dead letter holds of bytes that are not JSON. */
export function unreadableBody(part: UnreadablePart, source: Pick<Source, 'ip'>): UnreadableBody {
  const { bytes, position, offset, endpoint, userAgent } = part
  const redacted = redact(bytes, source.ip)
  const isText = isUtf8(redacted)
  return {
    body: redacted.toString(isText ? 'utf8' : 'base64'),
    encoding: isText ? 'utf8' : 'base64',
    position,
    offset,
    endpoint,
    userAgent: userAgent?.slice(0, MAX_USER_AGENT_LENGTH) ?? null,
  }
}

/** The source of the first `writeKey` in the bytes that names one, as far as they look like JSON. */
export function sourceNamedIn(bytes: Buffer, sources: Sources): Source | undefined {
  for (const { key, start, end } of stringMembers(bytes)) {
    const writeKey = key === 'writeKey' ? decoded(bytes, start, end) : undefined
    const source = writeKey === undefined ? undefined : sources.withKey(writeKey)
    if (source !== undefined) return source
  }
  return undefined
}

/** SECURITY: a dead letter holds no write key, and no address that the source's policy keeps out. */
function redact(bytes: Buffer, policy: IpPolicy): Buffer {
  const pieces: Buffer[] = []
  let from = 0
  for (const { key, start, end } of stringMembers(bytes)) {
    const text =
      key === 'writeKey'
        ? '[redacted]'
        : key === 'ip'
          ? policed(decoded(bytes, start, end), policy)
          : undefined
    if (text === undefined) continue
    pieces.push(bytes.subarray(from, start), Buffer.from(JSON.stringify(text)))
    from = end
  }
  return Buffer.concat([...pieces, bytes.subarray(from)])
}

/** `undefined` where the address stays as it is. */
function policed(ip: string | undefined, policy: IpPolicy): string | undefined {
  if (policy === 'keep') return undefined
  return (ip && withPolicy(ip, policy)) ?? ''
}

interface StringMember {
  readonly key: string | undefined
  /** Of the value, quotes included. */
  readonly start: number
  readonly end: number
}

/** All pairs of two strings with a colon between them, at every depth. */
function* stringMembers(bytes: Buffer): Generator<StringMember> {
  for (let at = bytes.indexOf(QUOTE); at >= 0; ) {
    const endOfKey = endOfBrokenString(bytes, at)
    const colon = skipSpace(bytes, endOfKey)
    const start = bytes[colon] === COLON ? skipSpace(bytes, colon + 1) : -1
    if (bytes[start] === QUOTE) {
      const end = endOfBrokenString(bytes, start)
      if (endOfKey - at < MAX_KEY_BYTES) yield { key: decoded(bytes, at, endOfKey), start, end }
      at = bytes.indexOf(QUOTE, end)
    } else at = bytes.indexOf(QUOTE, endOfKey)
  }
}

/** `"writeKey"` with each character as an escape of six bytes. */
const MAX_KEY_BYTES = 64

function decoded(bytes: Buffer, start: number, end: number): string | undefined {
  try {
    return JSON.parse(bytes.toString('utf8', start, end)) as string
  } catch {
    return undefined
  }
}
