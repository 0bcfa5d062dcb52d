import type { ByteBudget } from './byte-budget.js'
import type { RecordOutcome } from './outcome.js'
import type { Settlement } from './settlement.js'

export interface EntryOptions {
  readonly data: Uint8Array
  readonly settlement: Settlement
  readonly index: number
  /** Times on the clock, in ms. */
  readonly enqueuedAt: number
  readonly deadline: number
  readonly budget: ByteBudget
}

/**
 * One document on its way. Settled exactly once. Its bytes are given back when nothing holds them any more: a call
 * may still be carrying an entry that has been settled by its deadline.
 */
export class Entry {
  readonly data: Uint8Array
  readonly enqueuedAt: number
  readonly deadline: number
  attempts = 0
  readonly #settlement: Settlement
  readonly #index: number
  readonly #budget: ByteBudget
  #inFlight = false
  #settled = false

  constructor({ data, settlement, index, enqueuedAt, deadline, budget }: EntryOptions) {
    this.data = data
    this.enqueuedAt = enqueuedAt
    this.deadline = deadline
    this.#settlement = settlement
    this.#index = index
    this.#budget = budget
  }

  get settled(): boolean {
    return this.#settled
  }

  /** Tells the outcome, unless one was told before; returns whether it did. */
  settle(outcome: RecordOutcome): boolean {
    if (this.#settled) return false
    this.#settled = true
    this.#settlement.settle(this.#index, outcome)
    if (!this.#inFlight) this.#budget.giveBack(this.data.byteLength)
    return true
  }

  beginCall(): void {
    this.#inFlight = true
    this.attempts++
  }

  endCall(): void {
    this.#inFlight = false
    if (this.#settled) this.#budget.giveBack(this.data.byteLength)
  }
}
