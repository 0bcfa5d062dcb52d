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
export function endByBrackets(bytes: Buffer, start: number): number | undefined {
  const open: number[] = []
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte === QUOTE) at = endOfBrokenString(bytes, at) - 1
    else if (byte === OPEN_BRACE) open.push(CLOSE_BRACE)
    else if (byte === OPEN_BRACKET) open.push(CLOSE_BRACKET)
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      if (open.pop() !== byte) return undefined
      if (open.length === 0) return at + 1
    }
  }
  return undefined
}
