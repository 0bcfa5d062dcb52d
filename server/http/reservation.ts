import type { ByteBudget } from '../../plugin/delivery/byte-budget.js'

/** What one request holds of the memory that all share, until it is released. */
export class Reservation {
  readonly #budget: ByteBudget
  #held = 0

  constructor(budget: ByteBudget) {
    this.#budget = budget
  }

  /** Takes so many more bytes, or nothing and says `false`. */
  take(bytes: number): boolean {
    if (!this.#budget.take(bytes)) return false
    this.#held += bytes
    return true
  }

  release(): void {
    this.#budget.giveBack(this.#held)
    this.#held = 0
  }
}
