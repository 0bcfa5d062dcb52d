import { BACKSLASH, COLON, COMMA, OPEN_BRACE, OPEN_BRACKET, QUOTE } from './json-bytes.js'

/** What JSON.parse would make of a text. */
export interface JsonSize {
  /** Members of all objects. */
  readonly members: number
  /** Values of all kinds, about. */
  readonly values: number
}

/** Counts what is in valid JSON. */
export function jsonSize(json: Uint8Array): JsonSize {
  let members = 0
  let values = 1
  let isInString = false
  for (let at = 0; at < json.length; at++) {
    const byte = json[at]
    if (byte === QUOTE) isInString = !isInString
    else if (isInString) {
      if (byte === BACKSLASH) at++
    } else if (byte === COLON) members++
    else if (byte === COMMA || byte === OPEN_BRACE || byte === OPEN_BRACKET) values++
  }
  return { members, values }
}
