import { isUtf8 } from 'node:buffer'
import { ByteWriter } from '../../plugin/json/byte-writer.js'
import { COLON, QUOTE } from '../../plugin/json/json-bytes.js'
import { skipSpace, stringAt } from '../../plugin/json/json-spans.js'
import { JsonText } from '../../plugin/json/json-text.js'
import { addBase64Text, addStringText, stringTextSize } from '../../plugin/json/string-text.js'
import { SLICE_BYTES, type Slices } from '../../plugin/slices.js'
import type { Source } from '../source.js'
import type { Sources } from '../sources.js'
import { endOfBrokenString } from './broken-json.js'
import { type IpPolicy, withPolicy } from './ip-policy.js'

const MAX_USER_AGENT_LENGTH = 256

/** Text that grows more than this by its escapes, as one of control characters does, is kept as base64. */
const MAX_GROWTH = 2

/** A request that could not be read, or a part of it. */
export interface UnreadablePart {
  readonly bytes: Buffer
  /** Where the first byte is that cannot be read, from the beginning of the request's body. */
  readonly position: number
  /** Where the part begins, from the beginning of the request's body. */
  readonly offset: number
  readonly endpoint: string
  readonly userAgent: string | undefined
}

/**
 * What a dead letter holds of bytes that are not JSON: `{ body, encoding, position, offset, endpoint, userAgent }`. The
 * body is as it came, as text (`utf8`) or `base64`. Write keys, and addresses that the source does not keep, are taken
 * out of what is text.
 */
export function* unreadableBody(part: UnreadablePart, source: Pick<Source, 'ip'>): Slices<JsonText> {
  const { bytes, position, offset, endpoint, userAgent } = part
  const redacted = yield* withoutSecrets(bytes, source.ip)
  const size = isUtf8(redacted) ? yield* stringTextSize(redacted) : Number.POSITIVE_INFINITY
  const isText = size <= MAX_GROWTH * redacted.length
  const rest = {
    encoding: isText ? 'utf8' : 'base64',
    position,
    offset,
    endpoint,
    userAgent: userAgent?.slice(0, MAX_USER_AGENT_LENGTH) ?? null,
  }
  const [before, after] = ['{"body":', `,${JSON.stringify(rest).slice(1)}`]
  const bodySize = isText ? size : base64Size(redacted)
  const writer = new ByteWriter(before.length + bodySize + QUOTES + Buffer.byteLength(after))
  writer.addText(before)
  yield* isText ? addStringText(writer, redacted) : addBase64Text(writer, redacted)
  writer.addText(after)
  return new JsonText(writer.written())
}

const QUOTES = 2

function base64Size({ length }: Buffer): number {
  return 4 * Math.ceil(length / 3)
}

/** The source of the first `writeKey` in the bytes that names one, as far as they look like JSON. */
export function* sourceNamedIn(bytes: Buffer, sources: Sources): Slices<Source | undefined> {
  const members = new StringMembers(bytes)
  for (let next = members.next(); next !== undefined; next = members.next()) {
    if (members.isPauseDue()) yield
    const writeKey = next.key === 'writeKey' ? decoded(bytes, next.start, next.end) : undefined
    const source = writeKey === undefined ? undefined : sources.withKey(writeKey)
    if (source !== undefined) return source
  }
  return undefined
}

/** SECURITY: a dead letter holds no write key, and no address that the source's policy keeps out. */
function* withoutSecrets(bytes: Buffer, policy: IpPolicy): Slices<Buffer> {
  let writer: ByteWriter | undefined
  let from = 0
  const members = new StringMembers(bytes)
  for (let next = members.next(); next !== undefined; next = members.next()) {
    if (members.isPauseDue()) yield
    const { key, start, end } = next
    const text = key === 'writeKey' ? '[redacted]' : key === 'ip' ? policed(bytes, next, policy) : undefined
    if (text === undefined) continue
    writer ??= new ByteWriter(bytes.length)
    writer.add(bytes, from, start)
    writer.addText(JSON.stringify(text))
    from = end
  }
  writer?.add(bytes, from)
  return writer?.written() ?? bytes
}

/** `undefined` where the address stays as it is. */
function policed(bytes: Buffer, { start, end }: StringMember, policy: IpPolicy): string | undefined {
  if (policy === 'keep') return undefined
  const ip = decoded(bytes, start, end)
  return (ip && withPolicy(ip, policy)) ?? ''
}

interface StringMember {
  /** `undefined` where it is none of those that are looked for. */
  readonly key: string | undefined
  /** Of the value, quotes included. */
  readonly start: number
  readonly end: number
}

/** All pairs of two strings with a colon between them, at every depth. */
class StringMembers {
  readonly #bytes: Buffer
  #at = 0
  #pausedAt = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  /** Whether it has gone far since it was last asked and said so. */
  isPauseDue(): boolean {
    if (this.#at - this.#pausedAt < SLICE_BYTES) return false
    this.#pausedAt = this.#at
    return true
  }

  /** The next pair, `undefined` where there is no other. A string that is no key is a pair without one. */
  next(): StringMember | undefined {
    const bytes = this.#bytes
    const at = bytes.indexOf(QUOTE, this.#at)
    if (at < 0) return undefined
    const endOfKey = endOfBrokenString(bytes, at)
    const colon = skipSpace(bytes, endOfKey)
    const start = bytes[colon] === COLON ? skipSpace(bytes, colon + 1) : -1
    this.#at = endOfKey
    if (bytes[start] !== QUOTE) return { key: undefined, start: at, end: endOfKey }
    this.#at = endOfBrokenString(bytes, start)
    const isLong = endOfKey - at >= MAX_KEY_BYTES
    return { key: isLong ? undefined : decoded(bytes, at, endOfKey), start, end: this.#at }
  }
}

/** `"writeKey"` with each character as an escape of six bytes. */
const MAX_KEY_BYTES = 64

function decoded(bytes: Buffer, start: number, end: number): string | undefined {
  const isClosed = end - start > 1 && bytes[end - 1] === QUOTE
  if (!isClosed) return undefined
  try {
    return stringAt(bytes, start, end)
  } catch {
    return undefined
  }
}
