import { SLICE_BYTES, type Slices } from '../slices.js'
import {
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  SPACE,
} from './json-bytes.js'
import { JsonSyntaxError, MAX_DEPTH } from './json-syntax-error.js'
import { JsonTokens, NOTE } from './json-tokens.js'
import { OpenKeys } from './open-keys.js'

/**
 * Validates JSON in one pass over its bytes and makes no object. It accepts what JSON.parse accepts, up to
 * {@link MAX_DEPTH}; that the bytes are UTF-8 is for its user to check. Time grows with the bytes, whatever they are.
 * It does not recurse, so that it can pause before any value, and within strings.
 *
 * Subclasses remember where the values are that they need. They watch the value itself at depth 0, and what is in an
 * object or array of it where {@link opened} says so. One scanner is used for one text at a time.
 */
export class JsonScanner extends JsonTokens {
  /** Objects and arrays that are open. */
  #depth = 0
  /** What is open up to this depth is watched; -1 where nothing is. */
  #watched = -1
  /** By depth: whether it is an object, and the mark of its keys. */
  readonly #isObject = new Uint8Array(MAX_DEPTH + 1)
  readonly #marks = new Int32Array(MAX_DEPTH + 1)
  readonly #keys = new OpenKeys()
  /** Whether the value is a string that has not ended. */
  #isInString = false

  /**
   * Validates the one value in the bytes from `start` to before `end`, with the white space around it.
   *
   * @throws JsonSyntaxError
   */
  check(bytes: Uint8Array, start = 0, end = bytes.length): void {
    this.begin(bytes, start, end)
    this.space()
    this.scan(Number.POSITIVE_INFINITY)
    this.finish()
  }

  /**
   * Validates the one value that begins at `start`, whatever follows it.
   *
   * @returns where it ends
   * @throws JsonSyntaxError
   */
  *endOfValue(bytes: Uint8Array, start: number): Slices<number> {
    this.begin(bytes, start, bytes.length)
    while (!this.scan(this.at + SLICE_BYTES)) yield
    return this.at
  }

  protected begin(bytes: Uint8Array, start: number, end: number, isWatched = false): void {
    this.bytes = bytes
    this.at = start
    this.end = end
    this.#depth = 0
    this.#watched = isWatched ? 0 : -1
    this.#isInString = false
    this.notes = 0
    this.#keys.clear()
  }

  /** Scans on to `limit`, or to the end of a token behind it. Returns whether the value has ended. */
  protected scan(limit: number): boolean {
    // Local, as fields cost a tenth of all the time.
    const { bytes } = this
    const end = this.end
    let depth = this.#depth
    let isInObject = this.#isObject[depth] === 1
    let isInString = this.#isInString
    while (this.at < limit) {
      if (!isInString) {
        if (isInObject) this.#key(depth)
        if (depth <= this.#watched) this.valueBegins(depth)
        const byte = this.at < end ? (bytes[this.at] as number) : 0
        if (byte === QUOTE) {
          this.at++
          isInString = true
        } else if (byte !== OPEN_BRACE && byte !== OPEN_BRACKET) this.scalar(byte)
        else if (this.#opens(depth, byte === OPEN_BRACE)) {
          isInObject = byte === OPEN_BRACE
          depth++
          continue
        }
      }
      if (isInString) {
        isInString = !this.endsString(limit)
        if (isInString) break
      }
      for (;;) {
        if (depth <= this.#watched) this.valueEnds(depth)
        if (depth === 0) return true
        let next = this.at < end ? (bytes[this.at] as number) : 0
        if (next <= SPACE) next = this.space()
        if (next !== COMMA && next !== (isInObject ? CLOSE_BRACE : CLOSE_BRACKET)) this.fail()
        this.at++
        if (next === COMMA) break
        this.#closed(depth, isInObject)
        depth--
        isInObject = this.#isObject[depth] === 1
      }
      if (this.at >= end || (bytes[this.at] as number) <= SPACE) this.space()
    }
    this.#depth = depth
    this.#isInString = isInString
    return false
  }

  protected finish(): void {
    this.space()
    if (this.at !== this.end) this.fail()
    if (this.#keys.isRepeated) this.notes |= NOTE.REPEATED_KEY
  }

  /** Called where a value begins that is watched: `depth` objects and arrays are open around it. */
  protected valueBegins(_depth: number): void {}

  /** Called where it has ended. */
  protected valueEnds(_depth: number): void {}

  /** Called for the key of a value that is watched, with where its text begins and ends between the quotes. */
  protected keyRead(_depth: number, _hash: number, _start: number, _end: number): void {}

  /** Called where a watched value is an object or array. Returns whether to watch what is in it. */
  protected opened(_depth: number, _isObject: boolean): boolean {
    return false
  }

  /** Skips an opening bracket, and the closing one if nothing is between them. Returns whether something is. */
  #opens(around: number, isObject: boolean): boolean {
    const depth = around + 1
    if (depth > MAX_DEPTH) throw new JsonSyntaxError(this.at, true)
    const isWatched = around === this.#watched && this.opened(around, isObject)
    this.at++
    if (this.space() === (isObject ? CLOSE_BRACE : CLOSE_BRACKET)) {
      this.at++
      return false
    }
    if (isWatched) this.#watched = depth
    this.#isObject[depth] = isObject ? 1 : 0
    if (isObject) this.#marks[depth] = this.#keys.open()
    return true
  }

  #closed(depth: number, isObject: boolean): void {
    if (isObject) this.#keys.close(this.#marks[depth] as number)
    if (this.#watched === depth) this.#watched = depth - 1
  }

  /** A key, the colon, and the white space around that. */
  #key(depth: number): void {
    if (this.byte() !== QUOTE) this.fail()
    const start = this.at + 1
    const hash = this.hashedString()
    this.#keys.add(this.#marks[depth] as number, hash)
    if (depth <= this.#watched) this.keyRead(depth, hash, start, this.at - 1)
    let byte = this.byte()
    if (byte <= SPACE) byte = this.space()
    if (byte !== COLON) this.fail()
    this.at++
    if (this.byte() <= SPACE) this.space()
  }
}
