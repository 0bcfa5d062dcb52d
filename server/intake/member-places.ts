/** Numbers a member has. */
const PLACES = 3
const FIRST_CAPACITY = 64

/**
 * Where the members of a text's objects stand, one after the other: all in one array outside of the heap, as a body has
 * thousands of them and none outlives its request.
 */
export class MemberPlaces {
  #numbers = new Int32Array(FIRST_CAPACITY * PLACES)
  #length = 0

  /** Members so far. */
  get length(): number {
    return this.#length / PLACES
  }

  add(key: number, value: number, end: number): void {
    if (this.#length === this.#numbers.length) this.#grow()
    this.#numbers[this.#length++] = key
    this.#numbers[this.#length++] = value
    this.#numbers[this.#length++] = end
  }

  /** Where the key of a member begins. */
  key(member: number): number {
    return this.#numbers[member * PLACES] as number
  }

  /** Where its value begins. */
  value(member: number): number {
    return this.#numbers[member * PLACES + 1] as number
  }

  /** After its value. */
  end(member: number): number {
    return this.#numbers[member * PLACES + 2] as number
  }

  #grow(): void {
    const grown = new Int32Array(this.#numbers.length * 2)
    grown.set(this.#numbers)
    this.#numbers = grown
  }
}
