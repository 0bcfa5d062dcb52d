import {
  BACKSLASH,
  CARRIAGE_RETURN,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  LINE_FEED,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  SPACE,
  TAB,
} from './json-bytes.js'

/** A member of an object, by its place in the bytes. */
export interface MemberSpan {
  readonly key: string
  /** Where the quote before the key is. */
  readonly start: number
  readonly valueStart: number
  readonly valueEnd: number
}

/** The members of the object that begins at `start`. The bytes are valid JSON. */
export function membersOf(bytes: Buffer, start: number): MemberSpan[] {
  const members: MemberSpan[] = []
  let at = skipSpace(bytes, start + 1)
  while (bytes[at] !== CLOSE_BRACE) {
    const endOfKey = endOfString(bytes, at)
    const valueStart = skipSpace(bytes, skipSpace(bytes, endOfKey) + 1)
    const valueEnd = endOfValue(bytes, valueStart)
    const key = JSON.parse(bytes.toString('utf8', at, endOfKey)) as string
    members.push({ key, start: at, valueStart, valueEnd })
    at = skipSpace(bytes, valueEnd)
    if (bytes[at] === COMMA) at = skipSpace(bytes, at + 1)
  }
  return members
}

/** Where a string of valid JSON ends that begins here: behind its closing quote. */
export function endOfString(bytes: Uint8Array, start: number): number {
  for (let at = start + 1; ; at++) {
    const byte = bytes[at]
    if (byte === QUOTE) return at + 1
    if (byte === BACKSLASH) at++
  }
}

/** Where a value of valid JSON ends that begins here. */
export function endOfValue(bytes: Uint8Array, start: number): number {
  let depth = 0
  let at = start
  do {
    const byte = bytes[at]
    if (byte === QUOTE) at = endOfString(bytes, at)
    else {
      if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++
      else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth--
      else if (depth === 0) return endOfScalar(bytes, at)
      at++
    }
  } while (depth > 0)
  return at
}

/** Where the member begins whose value begins here and whose key is written without escapes. */
export function startOfMember(bytes: Uint8Array, key: string, valueStart: number): number {
  let at = valueStart - 1
  while (bytes[at] !== COLON) at--
  do at--
  while (bytes[at] !== QUOTE)
  return at - Buffer.byteLength(key) - 1
}

/** Where the white space of JSON ends, if any, that begins here. */
export function skipSpace(bytes: Uint8Array, start: number): number {
  let at = start
  for (; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte !== SPACE && byte !== LINE_FEED && byte !== CARRIAGE_RETURN && byte !== TAB) break
  }
  return at
}

/** A number, `true`, `false` or `null` ends before what cannot be part of it. */
function endOfScalar(bytes: Uint8Array, start: number): number {
  let at = start
  for (; at < bytes.length; at++) {
    const byte = bytes[at] as number
    if (byte <= SPACE || byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET) break
  }
  return at
}
