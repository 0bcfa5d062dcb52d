/** Of one member: where its key begins, where its value begins, where that ends. */
const NUMBERS = 3

/** Where the members of a text's objects stand: in one array of numbers, as a body has thousands of them. */
export class MemberPlaces {
  readonly #numbers: number[] = []

  /** Members so far. */
  get length(): number {
    return this.#numbers.length / NUMBERS
  }

  add(key: number, value: number, end: number): void {
    this.#numbers.push(key, value, end)
  }

  /** Where the key of a member begins. */
  key(member: number): number {
    return this.#numbers[member * NUMBERS] as number
  }

  /** Where its value begins. */
  value(member: number): number {
    return this.#numbers[member * NUMBERS + 1] as number
  }

  /** After its value. */
  end(member: number): number {
    return this.#numbers[member * NUMBERS + 2] as number
  }
}
