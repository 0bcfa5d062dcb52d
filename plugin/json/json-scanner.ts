import { randomInt } from 'node:crypto'

/** Deeper than any event of a real library, and what common readers of records take (Jackson's default is 1,000). */
export const MAX_DEPTH = 1_000

/** What a scan notices about valid JSON, as bits: text with any of these is rewritten before it is edited. */
export const NOTE = {
  /** A line break between tokens: a record is one line. */
  LINE_BREAK: 1,
  /** A key written with escapes, so that its bytes are not its name. */
  ESCAPED_KEY: 2,
  /** Two keys of one object are the same, or have the same hash. */
  REPEATED_KEY: 4,
} as const

export const QUOTE = 0x22
export const COMMA = 0x2c
export const COLON = 0x3a
export const OPEN_BRACKET = 0x5b
export const BACKSLASH = 0x5c
export const CLOSE_BRACKET = 0x5d
export const OPEN_BRACE = 0x7b
export const CLOSE_BRACE = 0x7d

const TAB = 0x09
const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d
const SPACE = 0x20
const PLUS = 0x2b
const MINUS = 0x2d
const DOT = 0x2e
const ZERO = 0x30
const NINE = 0x39
const UPPER_E = 0x45
const LOWER_E = 0x65
const LOWER_F = 0x66
const LOWER_N = 0x6e
const LOWER_T = 0x74
const LOWER_U = 0x75

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

/** Objects with more members are checked for repeated keys when they end, by a Set. */
const FEW_KEYS = 32

/**
 * What the hash of a key is made with: `hash · multiplier + byte`, modulo 2³².
 *
 * SECURITY: another one in each process, so that no sender can make keys whose hashes are the same.
 */
export const HASH_MULTIPLIER = randomInt(2 ** 31) * 2 + 1

/** Why bytes are not JSON that is taken here, and where that shows. SECURITY: the message quotes nothing of the bytes. */
export class JsonSyntaxError extends Error {
  /** Offset of the first byte that cannot be part of valid JSON. */
  readonly position: number
  readonly isTooDeep: boolean

  constructor(position: number, isTooDeep = false) {
    super(
      isTooDeep ? `it is nested deeper than ${MAX_DEPTH} levels` : `it is not valid JSON at byte ${position}`,
    )
    this.name = 'JsonSyntaxError'
    this.position = position
    this.isTooDeep = isTooDeep
  }
}

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
  /** Hashes of the keys of the objects that are open, one object after the other. */
  private hashes = new Int32Array(1_024)
  private hashCount = 0

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
    this.hashCount = 0
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

  /** Returns a mark to close the object with. */
  protected openKeys(): number {
    return this.hashCount
  }

  /** Notes a repeated key of the object that was opened with the mark. */
  protected addKey(mark: number, hash: number): void {
    if (this.notes & NOTE.REPEATED_KEY) return
    const count = this.hashCount
    if (count - mark < FEW_KEYS) {
      for (let i = mark; i < count; i++) if (this.hashes[i] === hash) this.notes |= NOTE.REPEATED_KEY
    }
    if (count === this.hashes.length) {
      const larger = new Int32Array(2 * count)
      larger.set(this.hashes)
      this.hashes = larger
    }
    this.hashes[count] = hash
    this.hashCount = count + 1
  }

  protected closeKeys(mark: number): void {
    const count = this.hashCount - mark
    if (count > FEW_KEYS && !(this.notes & NOTE.REPEATED_KEY)) {
      const own = this.hashes.subarray(mark, this.hashCount)
      if (new Set(own).size < count) this.notes |= NOTE.REPEATED_KEY
    }
    this.hashCount = mark
  }

  private members(depth: number): void {
    if (depth > MAX_DEPTH) throw new JsonSyntaxError(this.at, true)
    this.at++
    if (this.space() === CLOSE_BRACE) {
      this.at++
      return
    }
    const mark = this.openKeys()
    for (;;) {
      if (this.space() !== QUOTE) this.fail()
      this.addKey(mark, this.key())
      this.colon()
      this.value(depth)
      if (this.isLast(CLOSE_BRACE)) return this.closeKeys(mark)
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

const LOWER_A = 0x61
