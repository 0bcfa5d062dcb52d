import {
  BACKSLASH,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COMMA,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  SPACE,
} from '../../plugin/json/json-bytes.js'
import { SLICE_BYTES, type Slices } from '../../plugin/slices.js'

/** White space, NULs and commas say nothing. */
export function afterSeparators(bytes: Buffer, start: number, areCommasSkipped = true): number {
  let at = start
  while (at < bytes.length && ((bytes[at] as number) <= SPACE || (areCommasSkipped && bytes[at] === COMMA)))
    at++
  return at
}

/** Behind the closing quote, or at the end of the bytes. */
export function endOfBrokenString(bytes: Buffer, start: number): number {
  for (let at = start + 1; at < bytes.length; at++) {
    if (bytes[at] === QUOTE) return at + 1
    if (bytes[at] === BACKSLASH) at++
  }
  return bytes.length
}

/**
 * Where the object or array that begins here ends, by brackets and strings alone; `undefined` where the brackets do
 * not fit together.
 */
export function* endByBrackets(bytes: Buffer, start: number): Slices<number | undefined> {
  // Bytes, as there may be millions of them.
  let open = Buffer.allocUnsafe(FIRST_DEPTH)
  let depth = 0
  let pausedAt = start
  for (let at = start; at < bytes.length; at++) {
    if (at - pausedAt > SLICE_BYTES) {
      pausedAt = at
      yield
    }
    const byte = bytes[at] as number
    if (byte === QUOTE) at = endOfBrokenString(bytes, at) - 1
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      if (depth === open.length) open = Buffer.concat([open], 2 * depth)
      open[depth++] = byte
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      depth--
      if (open[depth] !== (byte === CLOSE_BRACE ? OPEN_BRACE : OPEN_BRACKET)) return undefined
      if (depth === 0) return at + 1
    }
  }
  return undefined
}

const FIRST_DEPTH = 1_024
