/** Where an element of an array lies: `end` is that of the byte behind it. */
interface Element {
  readonly start: number
  readonly end: number
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

/** The elements of the array that begins with `mark`, in JSON that is known to be valid and without spaces. */
export function elementsOf(json: Buffer, mark: string): Element[] {
  const elements: Element[] = []
  let start = json.indexOf(mark) + mark.length
  let depth = 0
  for (let at = start; at < json.length; at++) {
    const byte = json[at]
    if (byte === QUOTE) at = endOfString(json, at)
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++
    else if (depth > 0 && (byte === CLOSE_BRACE || byte === CLOSE_BRACKET)) depth--
    else if (depth === 0 && byte === COMMA) {
      elements.push({ start, end: at })
      start = at + 1
    } else if (byte === CLOSE_BRACKET) {
      elements.push({ start, end: at })
      break
    }
  }
  return elements
}

function endOfString(json: Buffer, start: number): number {
  let at = start + 1
  while (json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1
  return at
}
