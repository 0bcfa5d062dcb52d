/** Far less than JSON.stringify can take, far more than any event has. */
const MAX_DEPTH = 256
/** A number of so many digits is still one that a double can hold. */
const MAX_NUMBER_LENGTH = 300

const TAB = 0x09
const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d
const SPACE = 0x20
const QUOTE = 0x22
const PLUS = 0x2b
const COMMA = 0x2c
const MINUS = 0x2d
const DOT = 0x2e
const ZERO = 0x30
const NINE = 0x39
const UPPER_E = 0x45
const OPEN_BRACKET = 0x5b
const BACKSLASH = 0x5c
const CLOSE_BRACKET = 0x5d
const LOWER_E = 0x65
const LOWER_F = 0x66
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

const OTHER = 0
const IN_QUOTES = 1
const IN_NUMBER = 2
const OPENING = 3
const CLOSING = 4
const BREAKING = 5

/** What begins with a character, by its code: one look-up in place of many comparisons. */
const KINDS = Uint8Array.from({ length: 256 }, (_, code) => {
  if (code === QUOTE) return IN_QUOTES
  if (code === MINUS || isDigit(code)) return IN_NUMBER
  if (code === OPEN_BRACE || code === OPEN_BRACKET) return OPENING
  if (code === CLOSE_BRACE || code === CLOSE_BRACKET) return CLOSING
  return code === LINE_FEED || code === CARRIAGE_RETURN ? BREAKING : OTHER
})

/**
 * Steps through JSON text that JSON.parse has found valid, without a look at what that has seen to. Hops from quote to
 * quote, so that what is within strings costs next to nothing.
 *
 * The text is bytes, one a character (`latin1`): no byte within a character of UTF-8 looks like a quote or a backslash.
 */
export class JsonScan {
  readonly text: string
  /** Set on the way: JSON.stringify would write something of this in a way that means something else, or not at all. */
  isOdd = false

  constructor(text: string) {
    this.text = text
  }

  codeAt(at: number): number {
    return this.text.charCodeAt(at)
  }

  /** After the white space, if any, that begins here. */
  skipSpace(at: number): number {
    for (let next = at; ; next++) {
      const code = this.text.charCodeAt(next)
      // A record is one line.
      if (code === LINE_FEED || code === CARRIAGE_RETURN) this.isOdd = true
      else if (code !== SPACE && code !== TAB) return next
    }
  }

  /** After the comma, if any, and the white space around it. */
  skipComma(at: number): number {
    const next = this.skipSpace(at)
    return this.text.charCodeAt(next) === COMMA ? this.skipSpace(next + 1) : next
  }

  /** After the value that begins here. */
  endOfValue(at: number): number {
    const code = this.text.charCodeAt(at)
    if (code === QUOTE) return this.endOfString(at)
    if (code === OPEN_BRACE || code === OPEN_BRACKET) return this.#endOfNested(at)
    if (code === MINUS || isDigit(code)) return this.#endOfNumber(at)
    // `null` is as long as `true`.
    return at + (code === LOWER_F ? 'false'.length : 'true'.length)
  }

  endOfString(at: number): number {
    const { text } = this
    for (let quote = text.indexOf('"', at + 1); ; quote = text.indexOf('"', quote + 1)) {
      if (text.charCodeAt(quote - 1) !== BACKSLASH || isEscapingItself(text, quote - 1)) return quote + 1
    }
  }

  /** A loop and no recursion: a body may be nested deeper than the stack goes. */
  #endOfNested(start: number): number {
    const { text } = this
    let depth = 0
    let at = start
    for (;;) {
      switch (KINDS[text.charCodeAt(at)]) {
        case OTHER:
          at++
          break
        case IN_QUOTES:
          at = this.endOfString(at)
          break
        case IN_NUMBER:
          at = this.#endOfNumber(at)
          break
        case OPENING:
          at++
          if (++depth > MAX_DEPTH) this.isOdd = true
          break
        case CLOSING:
          at++
          if (--depth === 0) return at
          break
        default:
          at++
          this.isOdd = true
      }
    }
  }

  /** Odd are those beyond a double, which JSON.stringify writes as `null`, and a zero below zero, which it makes 0. */
  #endOfNumber(start: number): number {
    const { text } = this
    if (text.charCodeAt(start) === MINUS && text.charCodeAt(start + 1) === ZERO) this.isOdd = true
    for (let at = start + 1; ; at++) {
      const code = text.charCodeAt(at)
      if (isDigit(code) || code === DOT || code === MINUS || code === PLUS) continue
      if (code === LOWER_E || code === UPPER_E) this.isOdd = true
      else {
        if (at - start > MAX_NUMBER_LENGTH) this.isOdd = true
        return at
      }
    }
  }
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE
}

/** Whether the last of the backslashes that end here belongs to the one before it. */
function isEscapingItself(text: string, last: number): boolean {
  let first = last
  while (text.charCodeAt(first - 1) === BACKSLASH) first--
  return (last - first) % 2 === 1
}
