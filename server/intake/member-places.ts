/** Numbers a member has. */
const PLACES = 3

/** Where the members of a text's objects stand, one after the other: in one array, as a body has thousands of them. */
export class MemberPlaces {
  readonly #numbers: number[] = []

  /** Members so far. */
  get length(): number {
    return this.#numbers.length / PLACES
  }

  add(key: number, value: number, end: number): void {
    this.#numbers.push(key, value, end)
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
}
