/** Objects with more members are looked through when they end. */
const FEW_KEYS = 32

/**
 * The hashes of the keys of the objects that are open in a scan, in one array. Finds out whether any object has a key
 * twice; two keys with the same hash count as the same.
 */
export class OpenKeys {
  #hashes = new Int32Array(1_024)
  #count = 0
  /** Whether a key came twice. What comes after it is not looked at any more. */
  isRepeated = false

  clear(): void {
    this.#count = 0
    this.isRepeated = false
  }

  /** Begins an object. Returns a mark to go on and to close it with. */
  open(): number {
    return this.#count
  }

  /** Adds a key of the object that was opened last. */
  add(mark: number, hash: number): void {
    if (this.isRepeated) return
    const count = this.#count
    const hashes = this.#hashes
    if (count - mark < FEW_KEYS) {
      for (let i = mark; i < count; i++) if (hashes[i] === hash) this.isRepeated = true
    }
    if (count === hashes.length) this.#grow()
    this.#hashes[count] = hash
    this.#count = count + 1
  }

  /** Ends the object. */
  close(mark: number): void {
    if (this.#count - mark > FEW_KEYS && !this.isRepeated) this.isRepeated = this.#hasTwice(mark)
    this.#count = mark
  }

  #hasTwice(mark: number): boolean {
    // The sort of typed arrays takes no longer for numbers that a sender chose.
    const own = this.#hashes.slice(mark, this.#count).sort()
    for (let i = 1; i < own.length; i++) if (own[i] === own[i - 1]) return true
    return false
  }

  #grow(): void {
    const larger = new Int32Array(2 * this.#hashes.length)
    larger.set(this.#hashes)
    this.#hashes = larger
  }
}
