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
  forEachMember(bytes, start, (at, endOfKey, valueStart, valueEnd) => {
    members.push({ key: stringAt(bytes, at, endOfKey), start: at, valueStart, valueEnd })
  })
  return members
}

/** The strings under a key of the object that begins at `start`. The bytes are valid JSON. */
export function stringsUnder(key: string, bytes: Buffer, start: number): string[] {
  const strings: string[] = []
  forEachMember(bytes, start, (at, endOfKey, valueStart, valueEnd) => {
    const isTooLong = endOfKey - at > LONGEST_ESCAPE * key.length + 2
    if (isTooLong || bytes[valueStart] !== QUOTE || stringAt(bytes, at, endOfKey) !== key) return
    strings.push(stringAt(bytes, valueStart, valueEnd))
  })
  return strings
}

/** Bytes of a character as an escape. */
const LONGEST_ESCAPE = 6

function forEachMember(
  bytes: Buffer,
  start: number,
  visit: (start: number, endOfKey: number, valueStart: number, valueEnd: number) => void,
): void {
  let at = skipSpace(bytes, start + 1)
  while (bytes[at] !== CLOSE_BRACE) {
    const endOfKey = endOfString(bytes, at)
    const valueStart = skipSpace(bytes, skipSpace(bytes, endOfKey) + 1)
    const valueEnd = endOfValue(bytes, valueStart)
    visit(at, endOfKey, valueStart, valueEnd)
    at = skipSpace(bytes, valueEnd)
    if (bytes[at] === COMMA) at = skipSpace(bytes, at + 1)
  }
}

/** The string of valid JSON from the quote at `start` to the one before `end`. */
export function stringAt(bytes: Buffer, start: number, end: number): string {
  if (hasBackslash(bytes, start, end)) return JSON.parse(bytes.toString('utf8', start, end)) as string
  return bytes.toString('utf8', start + 1, end - 1)
}

/** Above this, in bytes, a call of native code pays. */
const LONG_STRING = 256

/** Whether there is a backslash in the bytes from `start` to before `end`. */
export function hasBackslash(bytes: Buffer, start: number, end: number): boolean {
  if (end - start > LONG_STRING) return bytes.subarray(start, end).includes(BACKSLASH)
  for (let at = start; at < end; at++) if (bytes[at] === BACKSLASH) return true
  return false
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
