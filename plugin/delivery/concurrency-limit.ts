/**
 * How many calls may be in flight: cut by the share that was throttled, grown back by one for each round of calls
 * that went well (additive increase, multiplicative decrease).
 */
export class ConcurrencyLimit {
  readonly #max: number
  #limit: number

  constructor(max: number) {
    this.#max = max
    this.#limit = max
  }

  get calls(): number {
    return Math.floor(this.#limit)
  }

  grow(): void {
    this.#limit = Math.min(this.#max, this.#limit + 1 / this.#limit)
  }

  /** @param share - of the records of a call, from 0 to 1 */
  shrink(share: number): void {
    this.#limit = Math.max(1, this.#limit * (1 - share / 2))
  }
}
