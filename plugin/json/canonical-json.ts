import { SLICE_BYTES, type Slices } from '../slices.js'
import { CLOSE_BRACE, CLOSE_BRACKET, COMMA, OPEN_BRACE, OPEN_BRACKET, QUOTE, SPACE } from './json-bytes.js'
import { endOfString, hasBackslash } from './json-spans.js'
import { MAX_DEPTH } from './json-syntax-error.js'
import { NOTE } from './json-tokens.js'
import { CUT, WrittenKeys } from './written-keys.js'

/**
 * Writes valid JSON anew without white space, with the last of the members that have the same key, at every depth, and
 * with keys as JSON.stringify writes them. Values are copied byte for byte: numbers keep their digits.
 *
 * It makes no value and does not recurse: its time and memory grow with the bytes alone.
 *
 * @param bytes - valid JSON, UTF-8, no deeper than `JsonScanner` takes
 * @param notes - what `JsonScanner` noticed about it
 */
export function* canonicalJson(bytes: Buffer, notes: number): Slices<Buffer> {
  const needsKeys = (notes & (NOTE.ESCAPED_KEY | NOTE.REPEATED_KEY)) !== 0
  const rewriting = needsKeys ? new KeyRewriting(bytes) : new Compaction(bytes)
  while (!rewriting.rewrite(SLICE_BYTES)) {
    yield
    yield* rewriting.rest()
  }
  return yield* withoutCuts(rewriting.output())
}

/** Leaves out the white space. */
class Compaction {
  protected readonly bytes: Buffer
  protected readonly written: Buffer
  protected length = 0
  /** Whether there is something to do before it can go on. */
  protected mustRest = false
  #at = 0

  constructor(bytes: Buffer) {
    this.bytes = bytes
    // No key becomes longer: escapes become shorter, or stay.
    this.written = Buffer.allocUnsafe(bytes.length)
  }

  output(): Buffer {
    return this.written.subarray(0, this.length)
  }

  /** What is left to do before it can go on. */
  *rest(): Slices<void> {
    // There is nothing.
  }

  /** Rewrites so many bytes more, and what belongs to the last of them. Returns whether that was all. */
  rewrite(count: number): boolean {
    const { bytes } = this
    const limit = Math.min(bytes.length, this.#at + count)
    let at = this.#at
    while (at < limit && !this.mustRest) {
      const byte = bytes[at] as number
      if (byte === QUOTE) at = this.string(at)
      else {
        if (byte > SPACE) this.token(byte)
        at++
      }
    }
    this.#at = at
    return at === bytes.length && !this.mustRest
  }

  protected string(at: number): number {
    return this.copy(at, endOfString(this.bytes, at))
  }

  protected token(byte: number): void {
    this.written[this.length++] = byte
  }

  protected copy(from: number, to: number): number {
    const { bytes, written } = this
    let length = this.length
    for (let at = from; at < to; at++) written[length++] = bytes[at] as number
    this.length = length
    return to
  }
}

/** Writes keys in one form as well, and marks the members to leave out. */
class KeyRewriting extends Compaction {
  readonly #keys: WrittenKeys
  #depth = 0
  /** By depth: whether it is an object, and the mark of its keys. */
  readonly #isObject = new Uint8Array(MAX_DEPTH + 1)
  readonly #marks = new Int32Array(MAX_DEPTH + 1)
  #isKeyNext = false
  #rest: Slices<void> | undefined

  constructor(bytes: Buffer) {
    super(bytes)
    this.#keys = new WrittenKeys(this.written)
  }

  override *rest(): Slices<void> {
    if (this.#rest !== undefined) yield* this.#rest
    this.#rest = undefined
    this.mustRest = false
  }

  protected override string(at: number): number {
    if (!this.#isKeyNext) return super.string(at)
    this.#isKeyNext = false
    const start = this.length
    const end = endOfString(this.bytes, at)
    if (hasBackslash(this.bytes, at, end)) {
      this.length += this.written.write(unescaped(this.bytes, at, end), start)
    } else this.copy(at, end)
    this.#keys.add(start, this.length)
    return end
  }

  protected override token(byte: number): void {
    switch (byte) {
      case OPEN_BRACE:
      case OPEN_BRACKET:
        this.#depth++
        this.#isObject[this.#depth] = byte === OPEN_BRACE ? 1 : 0
        this.#marks[this.#depth] = this.#keys.open()
        this.#isKeyNext = byte === OPEN_BRACE
        break
      case CLOSE_BRACE:
        this.#rest = this.#keys.close(this.#marks[this.#depth] as number)
        this.mustRest = this.#rest !== undefined
        this.#leave()
        break
      case CLOSE_BRACKET:
        this.#leave()
        break
      case COMMA:
        this.#isKeyNext = this.#isObject[this.#depth] === 1
    }
    super.token(byte)
  }

  #leave(): void {
    this.#depth--
    this.#isKeyNext = false
  }
}

/** A key as JSON.stringify writes it. */
function unescaped(bytes: Buffer, start: number, end: number): string {
  return JSON.stringify(JSON.parse(bytes.toString('utf8', start, end)))
}

/** Moves what is not cut together, in place. */
function* withoutCuts(output: Buffer): Slices<Buffer> {
  let length = 0
  let from = 0
  let paused = 0
  for (let cut = output.indexOf(CUT); cut >= 0; cut = output.indexOf(CUT, from)) {
    output.copyWithin(length, from, cut)
    length += cut - from
    from = afterCut(output, cut)
    if (from - paused < SLICE_BYTES) continue
    paused = from
    yield
  }
  if (from === 0) return output
  output.copyWithin(length, from)
  return output.subarray(0, length + output.length - from)
}

/** Where the member after the one that is cut begins: there is one, as the last with a key is never cut. */
function afterCut(output: Buffer, cut: number): number {
  let depth = 0
  for (let at = cut; ; at++) {
    const byte = output[at]
    if (byte === QUOTE || byte === CUT) at = endOfString(output, at) - 1
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth--
    else if (byte === COMMA && depth === 0) return at + 1
  }
}
