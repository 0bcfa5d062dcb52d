import { isUtf8 } from 'node:buffer'
import { takeRoom } from './collect.js'
import type { Reservation } from './reservation.js'

/** SECURITY: no two adjacent parts match the same character, so no header can make this slow. */
const CHARSET = /;\s*charset\s*=\s*["']?([^\s"';]+)/i

/** Encodings whose text can be valid UTF-8 by chance. No framework declares them by default. */
const MULTIBYTE = /^(?:gb|big5|shift_jis|euc-|iso-2022)/

/** The characters of Windows-1252 from 0x80 to 0x9f, where ISO-8859-1 has control characters that nobody sends. */
const WINDOWS_1252 = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ'

/**
 * Converts a body to UTF-8 and removes its byte order mark. Returns the same Buffer if it is plain UTF-8 already, as JSON
 * must be.
 *
 * Some frameworks declare `iso-8859-1` whatever they write. So this takes valid UTF-8 for UTF-8, unless the declared
 * encoding is one that nobody declares by accident.
 *
 * @throws HttpProblem 400 if the result is above the cap, 503 if memory runs out
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

/** Removes the byte order mark of UTF-8. */
export function withoutMark(bytes: Buffer): Buffer {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes
}

/** Recognizes UTF-16 by its byte order mark, or by the two ASCII characters that begin JSON (RFC 4627, 3). */
function utf16Text(bytes: Buffer): string | undefined {
  const first = bytes[0]
  const second = bytes[1]
  const isMarked = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)
  const isAscii = (first === 0) !== (second === 0) && (bytes[2] === 0) === (first === 0) && bytes.length > 3
  if (!isMarked && !(isAscii && (bytes[3] === 0) === (second === 0))) return undefined
  const isBigEndian = first === 0xfe || first === 0
  return new TextDecoder(isBigEndian ? 'utf-16be' : 'utf-16le').decode(bytes)
}

/** Returns `undefined` if no other charset than UTF-8 is declared. `utf16Text` has recognized UTF-16 by its bytes. */
function declaredText(bytes: Buffer, contentType: string | undefined): string | undefined {
  const label = contentType === undefined ? undefined : CHARSET.exec(contentType)?.[1]
  const decoder = label === undefined ? undefined : decoderOf(label)
  if (decoder === undefined || decoder.encoding.startsWith('utf-')) return undefined
  if (!MULTIBYTE.test(decoder.encoding) && isUtf8(bytes)) return undefined
  return decoder.encoding === 'windows-1252' ? decodeWindows1252(bytes) : decoder.decode(bytes)
}

/** Returns `undefined` for UTF-8, which needs no decoder, and for unknown names. */
function decoderOf(label: string) {
  try {
    return /^utf-?8$/i.test(label) ? undefined : new TextDecoder(label)
  } catch {
    return undefined
  }
}

/** Does what `TextDecoder` should: in Node.js 20 it decodes 0x80 to 0x9f as ISO-8859-1 (nodejs/node#56542). */
function decodeWindows1252(bytes: Buffer): string {
  return bytes
    .toString('latin1')
    .replace(/[\u0080-\u009f]/g, (character) => WINDOWS_1252.charAt(character.charCodeAt(0) - 0x80))
}
