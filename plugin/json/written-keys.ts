import { finish, type Slices } from '../slices.js'
import { BACKSLASH, QUOTE } from './json-bytes.js'
import { endOfString } from './json-spans.js'
import { HashPlaces, hashOf } from './key-hash.js'

/**
 * Stands in place of the quote that begins a member to leave out. Valid JSON has no such byte, neither between tokens
 * nor in a string.
 */
export const CUT = 0x01

/** Objects with more members look their keys up in a table. */
const FEW_MEMBERS = 12
/** Members that are looked up between two pauses, and those with long keys. */
const MANY_MEMBERS = 8_192
const MANY_LONG_KEYS = 256
/** Different keys with the same hash that an object may have before its keys are told apart as strings. */
const MANY_COLLISIONS = 64

/**
 * The keys of the objects that are open while JSON is written. When an object ends, each member that has the key of a
 * later one is marked with {@link CUT}.
 */
export class WrittenKeys {
  readonly #written: Buffer
  /** For each key, a hash and where it begins. */
  #hashes = new Int32Array(256)
  #starts = new Int32Array(256)
  #count = 0
  readonly #places = new HashPlaces()

  constructor(written: Buffer) {
    this.#written = written
  }

  /** Begins an object. Returns a mark to close it with. */
  open(): number {
    return this.#count
  }

  /** Adds a key, as JSON.stringify writes it, to the object that was opened last. */
  add(start: number, end: number): void {
    if (this.#count === this.#hashes.length) this.#grow()
    this.#hashes[this.#count] = hashOf(this.#written, start, end)
    this.#starts[this.#count++] = start
  }

  /** Ends the object. Returns the work that is left where it has many members; until that is done no other begins. */
  close(mark: number): Slices<void> | undefined {
    const count = this.#count - mark
    if (count > FEW_MEMBERS) {
      if (count > MANY_MEMBERS) return this.#closeLarge(mark)
      finish(this.#cutByTable(mark))
    } else if (count > 1) this.#cutByPairs(mark)
    this.#count = mark
    return undefined
  }

  *#closeLarge(mark: number): Slices<void> {
    yield* this.#cutByTable(mark)
    this.#count = mark
  }

  #cutByPairs(mark: number): void {
    for (let i = mark; i < this.#count; i++) {
      for (let j = i + 1; j < this.#count; j++) {
        if (this.#hashes[i] === this.#hashes[j] && this.#isSame(i, j)) this.#cut(i)
      }
    }
  }

  *#cutByTable(mark: number): Slices<void> {
    const places = this.#places
    const taken = places.clear(this.#count - mark)
    let collisions = 0
    // From the last, which stays. The places hold indexes from 1.
    for (let i = this.#count - 1; i >= mark; i--) {
      if (i % MANY_MEMBERS === 0) yield
      const hash = this.#hashes[i] as number
      let place = places.first(hash)
      let isCut = false
      for (; taken[place] !== 0 && !isCut; place = places.after(place)) {
        const later = (taken[place] as number) - 1
        if (this.#hashes[later] !== hash) continue
        isCut = this.#isSame(i, later)
        if (!isCut && ++collisions > MANY_COLLISIONS) return yield* this.#cutByText(mark)
      }
      if (isCut) this.#cut(i)
      else taken[place] = i + 1
    }
  }

  /** SECURITY: some texts of 64 characters have the same hash whatever its multiplier is; V8 tells them apart. */
  *#cutByText(mark: number): Slices<void> {
    const seen = new Set<string>()
    for (let i = this.#count - 1; i >= mark; i--) {
      if (i % MANY_LONG_KEYS === 0) yield
      const start = this.#starts[i] as number
      const key = this.#written.toString('latin1', start + 1, endOfString(this.#written, start))
      if (seen.has(key)) this.#cut(i)
      else seen.add(key)
    }
  }

  #cut(i: number): void {
    this.#written[this.#starts[i] as number] = CUT
  }

  #isSame(i: number, j: number): boolean {
    const written = this.#written
    let a = (this.#starts[i] as number) + 1
    let b = (this.#starts[j] as number) + 1
    for (; written[a] === written[b]; a++, b++) {
      if (written[a] === QUOTE) return true
      if (written[a] !== BACKSLASH) continue
      a++
      b++
      if (written[a] !== written[b]) return false
    }
    return false
  }

  #grow(): void {
    this.#hashes = doubled(this.#hashes)
    this.#starts = doubled(this.#starts)
  }
}

function doubled(array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(2 * array.length)
  larger.set(array)
  return larger
}
