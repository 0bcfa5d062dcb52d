import type { ByteBudget } from '../../plugin/delivery/byte-budget.js'
import type { HttpProblem } from './http-problem.js'

/** What one request holds of the memory that all share, until it is released. */
export class Reservation {
  readonly #budget: ByteBudget
  #held = 0

  constructor(budget: ByteBudget) {
    this.#budget = budget
  }

  /** In bytes. */
  get held(): number {
    return this.#held
  }

  /** Takes so many more bytes, or nothing and says `false`. */
  take(bytes: number): boolean {
    if (!this.#budget.take(bytes)) return false
    this.#held += bytes
    return true
  }

  /**
   * `stop` is called where the request must give back its memory before all of its body has come. It must let go of
   * what was read, and have the request answered with the problem. A later call takes the place of an earlier one.
   */
  onRevoked(_stop: (problem: HttpProblem) => void): void {
    // This memory is the request's own until it is released; that of an incoming body is not.
  }

  /**
   * Hands what is held over to what `start` begins with it, as far as that counts it by itself; the rest is held on.
   * `start` must count what it takes before it returns.
   */
  handOver<T>(start: () => T): T {
    const held = this.#held
    const before = this.#budget.used - held
    this.release()
    const started = start()
    const counted = this.#budget.used - before
    // There is room: it was held before, and nobody else came in between.
    this.take(Math.max(0, held - counted))
    return started
  }

  release(): void {
    this.#budget.giveBack(this.#held)
    this.#held = 0
  }
}
