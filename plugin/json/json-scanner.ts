import { randomInt } from 'node:crypto'
import {
  BACKSLASH,
  CARRIAGE_RETURN,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  DOT,
  LINE_FEED,
  LOWER_A,
  LOWER_E,
  LOWER_F,
  LOWER_N,
  LOWER_T,
  LOWER_U,
  MINUS,
  NINE,
  OPEN_BRACE,
  OPEN_BRACKET,
  PLUS,
  QUOTE,
  SPACE,
  TAB,
  UPPER_E,
  ZERO,
} from './json-bytes.js'
import { JsonSyntaxError, MAX_DEPTH } from './json-syntax-error.js'
import { OpenKeys } from './open-keys.js'

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

const PLAIN = 0
const END = 1
const ESCAPE = 2
const FORBIDDEN = 3

/** What a byte means inside a string. */
const IN_STRING = new Uint8Array(256)
IN_STRING.fill(FORBIDDEN, 0, SPACE)
IN_STRING[QUOTE] = END
IN_STRING[BACKSLASH] = ESCAPE

/** Bytes that may follow a backslash, `u` apart. */
const ESCAPED = new Uint8Array(256)
for (const byte of Buffer.from('"\\/bfnrt')) ESCAPED[byte] = 1

/**
 * What the hash of a key is made with: `hash · multiplier + byte`, modulo 2³².
 *
 * SECURITY: another one in each process, so that no sender can make keys whose hashes are the same.
 */
export const HASH_MULTIPLIER = randomInt(2 ** 31) * 2 + 1

/**
 * Validates JSON in one pass over its bytes and makes no object. It accepts what JSON.parse accepts, up to
 * {@link MAX_DEPTH}; that the bytes are UTF-8 is for its user to check. Time grows with the bytes, whatever they are.
 *
 * Subclasses remember where the values are that they need. One scanner is used for one text at a time.
 */
export class JsonScanner {
  /** Bits of {@link NOTE}. */
  notes = 0
  protected bytes: Uint8Array = NULL
  protected at = 0
  protected end = 0
  protected readonly keys = new OpenKeys()

  /**
   * Validates the one value in the bytes from `start` to before `end`, with the white space around it.
   *
   * @throws JsonSyntaxError
   */
  check(bytes: Uint8Array, start = 0, end = bytes.length): void {
    this.begin(bytes, start, end)
    this.space()
    this.value(0)
    this.finish()
  }

  /**
   * Validates the one value that begins at `start`, whatever follows it.
   *
   * @returns where it ends
   * @throws JsonSyntaxError
   */
  endOfValue(bytes: Uint8Array, start: number): number {
    this.begin(bytes, start, bytes.length)
    this.value(0)
    return this.at
  }

  protected begin(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes
    this.at = start
    this.end = end
    this.notes = 0
    this.keys.clear()
  }

  protected finish(): void {
    this.space()
    if (this.at !== this.end) this.fail()
  }

  protected fail(): never {
    throw new JsonSyntaxError(this.at)
  }

  /** Skips white space. Returns the byte after it; at the end of the text 0, which no token begins with. */
  protected space(): number {
    const { bytes, end } = this
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

  /** @param depth - of the object or array that the value is in */
  protected value(depth: number): void {
    switch (this.at < this.end ? this.bytes[this.at] : 0) {
      case QUOTE:
        return this.string()
      case OPEN_BRACE:
        return this.members(depth + 1)
      case OPEN_BRACKET:
        return this.elements(depth + 1)
      case LOWER_T:
        return this.literal(TRUE)
      case LOWER_F:
        return this.literal(FALSE)
      case LOWER_N:
        return this.literal(NULL)
      default:
        return this.number()
    }
  }

  /** From the opening quote to behind the closing one. */
  protected string(): void {
    const { bytes, end } = this
    let at = this.at + 1
    for (;;) {
      const meaning = at < end ? IN_STRING[bytes[at] as number] : FORBIDDEN
      if (meaning === PLAIN) at++
      else if (meaning === END) break
      else if (meaning === ESCAPE) at = this.afterEscape(at)
      else {
        this.at = at
        this.fail()
      }
    }
    this.at = at + 1
  }

  /** {@link string} for a key. Returns a hash of its bytes. */
  protected key(): number {
    const { bytes, end } = this
    let at = this.at + 1
    let hash = 0
    for (;;) {
      const byte = at < end ? (bytes[at] as number) : 0
      const meaning = IN_STRING[byte]
      if (meaning === PLAIN) {
        hash = (Math.imul(hash, HASH_MULTIPLIER) + byte) | 0
        at++
      } else if (meaning === END) break
      else if (meaning === ESCAPE) {
        this.notes |= NOTE.ESCAPED_KEY
        at = this.afterEscape(at)
        hash = (Math.imul(hash, HASH_MULTIPLIER) + (bytes[at - 1] as number)) | 0
      } else {
        this.at = at
        this.fail()
      }
    }
    this.at = at + 1
    return hash
  }

  private members(depth: number): void {
    if (depth > MAX_DEPTH) throw new JsonSyntaxError(this.at, true)
    this.at++
    if (this.space() === CLOSE_BRACE) {
      this.at++
      return
    }
    const mark = this.keys.open()
    for (;;) {
      if (this.space() !== QUOTE) this.fail()
      if (this.keys.add(mark, this.key())) this.notes |= NOTE.REPEATED_KEY
      this.colon()
      this.value(depth)
      if (!this.isLast(CLOSE_BRACE)) continue
      if (this.keys.close(mark)) this.notes |= NOTE.REPEATED_KEY
      return
    }
  }

  private elements(depth: number): void {
    if (depth > MAX_DEPTH) throw new JsonSyntaxError(this.at, true)
    this.at++
    if (this.space() === CLOSE_BRACKET) {
      this.at++
      return
    }
    for (;;) {
      this.space()
      this.value(depth)
      if (this.isLast(CLOSE_BRACKET)) return
    }
  }

  /** Skips the colon and the white space around it. */
  protected colon(): void {
    if (this.space() !== COLON) this.fail()
    this.at++
    this.space()
  }

  /** Skips the comma after a member or element, or what closes them all. Returns whether it closed them. */
  protected isLast(close: number): boolean {
    const byte = this.space()
    if (byte !== close && byte !== COMMA) this.fail()
    this.at++
    return byte === close
  }

  private afterEscape(at: number): number {
    const { bytes } = this
    const byte = at + 1 < this.end ? (bytes[at + 1] as number) : 0
    if (ESCAPED[byte] === 1) return at + 2
    const isUnicode =
      byte === LOWER_U && at + 6 <= this.end && [2, 3, 4, 5].every((i) => isHex(bytes[at + i]))
    if (isUnicode) return at + 6
    this.at = at
    return this.fail()
  }

  private number(): void {
    if (this.byte() === MINUS) this.at++
    if (this.byte() === ZERO) this.at++
    else this.digits()
    if (this.byte() === DOT) {
      this.at++
      this.digits()
    }
    const byte = this.byte()
    if (byte !== LOWER_E && byte !== UPPER_E) return
    this.at++
    if (this.byte() === PLUS || this.byte() === MINUS) this.at++
    this.digits()
  }

  private digits(): void {
    if (!isDigit(this.byte())) this.fail()
    do this.at++
    while (isDigit(this.byte()))
  }

  private literal(text: Uint8Array): void {
    for (let i = 0; i < text.length; i++) {
      if (this.byte() !== text[i]) this.fail()
      this.at++
    }
  }

  private byte(): number {
    return this.at < this.end ? (this.bytes[this.at] as number) : 0
  }
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE
}

function isHex(byte: number | undefined): boolean {
  return (
    byte !== undefined &&
    (isDigit(byte) || (byte >= 0x41 && byte <= 0x46) || (byte >= LOWER_A && byte <= LOWER_F))
  )
}
