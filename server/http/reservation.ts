import type { ByteBudget } from '../../plugin/delivery/byte-budget.js'
import type { MemoryHolder } from '../../plugin/destination.js'
import { type HttpProblem, memoryFull } from './http-problem.js'

/** What one request holds of the memory that all share, until it is released. */
export class Reservation implements MemoryHolder {
  #budget: ByteBudget
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

  /** Gives back what is held beyond so many bytes. */
  shrinkTo(bytes: number): void {
    this.giveBack(Math.max(0, this.#held - bytes))
  }

  /** Gives back so many bytes that were taken. */
  giveBack(bytes: number): void {
    this.#budget.giveBack(bytes)
    this.#held -= bytes
  }

  /**
   * Registers what ends the reading of the body if the memory is revoked. `stop` must let go of what was read and make
   * the request fail with the problem. A later `stop` replaces an earlier one.
   */
  onRevoked(_stop: (problem: HttpProblem) => void): void {
    // Nobody revokes this memory. That of an incoming body can be revoked.
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

  /**
   * Counts what is held, and what is taken from now on, in another budget: a source's part of the same memory.
   *
   * @throws HttpProblem 503 where that has no room, and then nothing is held
   */
  moveTo(budget: ByteBudget): void {
    const held = this.#held
    this.release()
    this.#budget = budget
    if (!this.take(held)) throw memoryFull()
  }

  release(): void {
    this.#budget.giveBack(this.#held)
    this.#held = 0
  }
}
