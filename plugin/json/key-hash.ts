import { randomInt } from 'node:crypto'

/**
 * What the hash of a key is made with: `hash · multiplier + byte`, modulo 2³².
 *
 * SECURITY: this and {@link HASH_SPREAD} are others in each process, so that no sender can choose keys whose hashes are
 * the same, or meet in one place of a table. Some texts of 64 bytes and more have one hash whatever the multiplier is:
 * equal hashes must not cost more than different ones.
 */
export const HASH_MULTIPLIER = randomInt(2 ** 31) * 2 + 1

const HASH_SPREAD = randomInt(2 ** 31) * 2 + 1

/** The hash of the bytes from `start` to before `end`. */
export function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0
  for (let i = start; i < end; i++) hash = (Math.imul(hash, HASH_MULTIPLIER) + (bytes[i] as number)) | 0
  return hash
}

/** Places of hashes, in an array that is used again; 0 says that a place is free. */
export class HashPlaces {
  #places = new Int32Array(0)
  #mask = 0
  #shift = 0

  /** Frees at least twice as many places as there are hashes. Returns them all. */
  clear(hashes: number): Int32Array {
    const bits = Math.ceil(Math.log2(hashes)) + 1
    const size = 2 ** bits
    this.#mask = size - 1
    this.#shift = 32 - bits
    if (this.#places.length < size) this.#places = new Int32Array(size)
    else this.#places.fill(0, 0, size)
    return this.#places
  }

  /** The first place to look for a hash. */
  first(hash: number): number {
    return Math.imul(hash, HASH_SPREAD) >>> this.#shift
  }

  /** The place to look at after that. */
  after(place: number): number {
    return (place + 1) & this.#mask
  }
}
