import { isUtf8 } from 'node:buffer'
import { takeRoom } from './collect.js'
import type { Reservation } from './reservation.js'

/** SECURITY: no two parts of it match the same character, so that no header makes it slow. */
const CHARSET = /;\s*charset\s*=\s*["']?([^\s"';]+)/i

/** Encodings whose text can be valid UTF-8 as well, by chance, and that no framework declares of its own accord. */
const MULTIBYTE = /^(?:gb|big5|shift_jis|euc-|iso-2022)/

/** What Windows-1252 has from 0x80 to 0x9f, where ISO-8859-1 has nothing that anyone sends. */
const WINDOWS_1252 = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ'

/**
 * A body as UTF-8, without a byte order mark: the same bytes where it is UTF-8 already, as JSON is to be.
 *
 * Some frameworks declare `iso-8859-1` whatever they write. So what is valid UTF-8 is taken for that, unless what is
 * declared is an encoding that is declared on purpose only.
 *
 * @throws HttpProblem 400 for what grows too large, 503 where memory runs out
 */
export function toUtf8(bytes: Buffer, contentType: string | undefined, reservation: Reservation): Buffer {
  const unmarked = withoutMark(bytes)
  if (unmarked !== bytes) return unmarked
  const text = utf16Text(bytes) ?? declaredText(bytes, contentType)
  if (text === undefined) return bytes
  const refusal = takeRoom(0, Buffer.byteLength(text), reservation)
  if (refusal !== undefined) throw refusal
  return Buffer.from(text)
}

/** UTF-8 without its byte order mark. */
export function withoutMark(bytes: Buffer): Buffer {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes
}

/** UTF-16 is known by its byte order mark, or as JSON begins with two characters of ASCII (RFC 4627, 3). */
function utf16Text(bytes: Buffer): string | undefined {
  const first = bytes[0]
  const second = bytes[1]
  const isMarked = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)
  const isAscii = (first === 0) !== (second === 0) && (bytes[2] === 0) === (first === 0) && bytes.length > 3
  if (!isMarked && !(isAscii && (bytes[3] === 0) === (second === 0))) return undefined
  const isBigEndian = first === 0xfe || first === 0
  return new TextDecoder(isBigEndian ? 'utf-16be' : 'utf-16le').decode(bytes)
}

/** `undefined` where nothing is declared, or nothing but UTF-8: UTF-16 would have been seen by its bytes. */
function declaredText(bytes: Buffer, contentType: string | undefined): string | undefined {
  const label = contentType === undefined ? undefined : CHARSET.exec(contentType)?.[1]
  const decoder = label === undefined ? undefined : decoderOf(label)
  if (decoder === undefined || decoder.encoding.startsWith('utf-')) return undefined
  if (!MULTIBYTE.test(decoder.encoding) && isUtf8(bytes)) return undefined
  return decoder.encoding === 'windows-1252' ? decodeWindows1252(bytes) : decoder.decode(bytes)
}

/** `undefined` for a name that nobody knows. */
function decoderOf(label: string) {
  try {
    return /^utf-?8$/i.test(label) ? undefined : new TextDecoder(label)
  } catch {
    return undefined
  }
}

/** As `TextDecoder` should: in Node.js 20 it leaves out what differs from ISO-8859-1 (nodejs/node#56542). */
function decodeWindows1252(bytes: Buffer): string {
  return bytes
    .toString('latin1')
    .replace(/[\u0080-\u009f]/g, (character) => WINDOWS_1252.charAt(character.charCodeAt(0) - 0x80))
}
