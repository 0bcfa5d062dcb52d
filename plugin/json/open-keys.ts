/** Objects with more members are looked through when they end. */
const FEW_KEYS = 32

/**
 * The hashes of the keys of the objects that are open in a scan, in one array. Finds keys that come twice; two keys
 * with the same hash count as the same.
 */
export class OpenKeys {
  #hashes = new Int32Array(1_024)
  #count = 0

  clear(): void {
    this.#count = 0
  }

  /** Begins an object. Returns a mark to go on and to close it with. */
  open(): number {
    return this.#count
  }

  /** Adds a key. Returns whether the object is known to have it twice now. */
  add(mark: number, hash: number): boolean {
    const count = this.#count
    const hashes = this.#hashes
    let isRepeated = false
    if (count - mark < FEW_KEYS) for (let i = mark; i < count; i++) if (hashes[i] === hash) isRepeated = true
    if (count === hashes.length) this.#grow()
    this.#hashes[count] = hash
    this.#count = count + 1
    return isRepeated
  }

  /** Ends the object. Returns whether it has a key twice that {@link add} did not see. */
  close(mark: number): boolean {
    const count = this.#count - mark
    let isRepeated = false
    if (count > FEW_KEYS) {
      const own = this.#hashes.slice(mark, this.#count).sort()
      for (let i = 1; i < count; i++) if (own[i] === own[i - 1]) isRepeated = true
    }
    this.#count = mark
    return isRepeated
  }

  #grow(): void {
    const larger = new Int32Array(2 * this.#hashes.length)
    larger.set(this.#hashes)
    this.#hashes = larger
  }
}
