import {
  BACKSLASH,
  CARRIAGE_RETURN,
  DOT,
  LINE_FEED,
  LOWER_E,
  LOWER_F,
  LOWER_N,
  LOWER_T,
  LOWER_U,
  MINUS,
  NINE,
  PLUS,
  QUOTE,
  SPACE,
  TAB,
  UPPER_E,
  ZERO,
} from './json-bytes.js'
import { JsonSyntaxError } from './json-syntax-error.js'
import { HASH_MULTIPLIER } from './key-hash.js'

/** What a scan notices about valid JSON, as bits: text with any of these is rewritten before it is edited. */
export const NOTE = {
  /** A line break between tokens: a record is one line. */
  LINE_BREAK: 1,
  /** A key written with escapes, so that its bytes are not its name. */
  ESCAPED_KEY: 2,
  /** Two keys of one object are the same, or have the same hash. */
  REPEATED_KEY: 4,
} as const

const TRUE = Buffer.from('true')
const FALSE = Buffer.from('false')
const NULL = Buffer.from('null')

/** Bytes that may follow a backslash, `u` apart. */
const ESCAPED = new Uint8Array(256)
for (const byte of Buffer.from('"\\/bfnrt')) ESCAPED[byte] = 1

const HEX = new Uint8Array(256)
for (const byte of Buffer.from('0123456789abcdefABCDEF')) HEX[byte] = 1

/** Reads the tokens of JSON, one after another. What is not one fails at the first byte that cannot be part of it. */
export class JsonTokens {
  /** Bits of {@link NOTE}. */
  notes = 0
  protected bytes: Uint8Array = NULL
  /** Where the next byte is. */
  protected at = 0
  /** Where the text ends. */
  protected end = 0

  protected fail(): never {
    throw new JsonSyntaxError(this.at)
  }

  /** Skips white space. Returns the byte after it; at the end of the text 0, which no token begins with. */
  protected space(): number {
    const { bytes } = this
    const end = this.end
    let at = this.at
    let byte = at < end ? (bytes[at] as number) : 0
    if (byte > SPACE) return byte
    while (byte === SPACE || byte === LINE_FEED || byte === CARRIAGE_RETURN || byte === TAB) {
      if (byte === LINE_FEED || byte === CARRIAGE_RETURN) this.notes |= NOTE.LINE_BREAK
      at++
      byte = at < end ? (bytes[at] as number) : 0
    }
    this.at = at
    return byte
  }

  /** A value that is neither a string nor in brackets. */
  protected scalar(byte: number): void {
    if (byte <= NINE) this.#number()
    else if (byte === LOWER_T) this.#literal(TRUE)
    else if (byte === LOWER_F) this.#literal(FALSE)
    else if (byte === LOWER_N) this.#literal(NULL)
    else this.fail()
  }

  /** Goes on to behind the closing quote, or to `limit`. Returns whether it has come to the quote. */
  protected endsString(limit: number): boolean {
    const { bytes } = this
    const stop = Math.min(limit, this.end)
    let at = this.at
    while (at < stop) {
      const byte = bytes[at] as number
      if (byte === QUOTE) {
        this.at = at + 1
        return true
      }
      at = byte === BACKSLASH || byte < SPACE ? this.#afterEscape(at) : at + 1
    }
    this.at = at
    return at < this.end ? false : this.fail()
  }

  /** From the opening quote of a key to behind the closing one. Returns a hash of its bytes. */
  protected hashedString(): number {
    const { bytes, end } = this
    let at = this.at + 1
    let hash = 0
    while (at < end) {
      const byte = bytes[at] as number
      if (byte === QUOTE) {
        this.at = at + 1
        return hash
      }
      if (byte === BACKSLASH || byte < SPACE) {
        at = this.#afterEscape(at)
        this.notes |= NOTE.ESCAPED_KEY
      } else {
        hash = (Math.imul(hash, HASH_MULTIPLIER) + byte) | 0
        at++
      }
    }
    this.at = at
    return this.fail()
  }

  /** Where the escape ends that begins here. Nothing else may be here: no control character, and not the end. */
  #afterEscape(at: number): number {
    const { bytes } = this
    const isEscape = at + 1 < this.end && bytes[at] === BACKSLASH
    const byte = isEscape ? (bytes[at + 1] as number) : 0
    if (ESCAPED[byte] === 1) return at + 2
    if (byte === LOWER_U && at + 6 <= this.end) {
      let digits = 0
      for (let i = at + 2; i < at + 6; i++) digits += HEX[bytes[i] as number] as number
      if (digits === 4) return at + 6
    }
    this.at = at
    return this.fail()
  }

  #number(): void {
    const { bytes } = this
    const end = this.end
    let at = this.at
    let byte = bytes[at] as number
    if (byte === MINUS) byte = ++at < end ? (bytes[at] as number) : 0
    if (byte === ZERO) byte = ++at < end ? (bytes[at] as number) : 0
    else {
      this.at = at
      at = this.#digits()
      byte = at < end ? (bytes[at] as number) : 0
    }
    this.at = at
    if (byte === DOT || byte === LOWER_E || byte === UPPER_E) this.#fraction()
  }

  /** Of a number, what follows its whole part. */
  #fraction(): void {
    if (this.byte() === DOT) {
      this.at++
      this.at = this.#digits()
    }
    const byte = this.byte()
    if (byte !== LOWER_E && byte !== UPPER_E) return
    this.at++
    if (this.byte() === PLUS || this.byte() === MINUS) this.at++
    this.at = this.#digits()
  }

  /** Returns the end of the digits that begin here. */
  #digits(): number {
    const { bytes } = this
    const end = this.end
    let at = this.at
    while (at < end && isDigit(bytes[at] as number)) at++
    if (at === this.at) this.fail()
    return at
  }

  #literal(text: Uint8Array): void {
    for (let i = 0; i < text.length; i++) {
      if (this.byte() !== text[i]) this.fail()
      this.at++
    }
  }

  protected byte(): number {
    return this.at < this.end ? (this.bytes[this.at] as number) : 0
  }
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE
}
