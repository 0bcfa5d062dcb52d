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
  /** Whether it came out of the spill: it does not go there again. */
  readonly isFromSpill?: boolean
}

/**
 * One document on its way. Settled exactly once. Its bytes are given back when nothing holds them any more: a call
 * may still be carrying an entry that has been settled by its deadline.
 */
export class Entry {
  readonly data: Uint8Array
  readonly enqueuedAt: number
  readonly deadline: number
  readonly isFromSpill: boolean
  attempts = 0
  readonly #settlement: Settlement
  readonly #index: number
  readonly #budget: ByteBudget
  #inFlight = false
  #settled = false
  #isLeaving = false

  constructor({ data, settlement, index, enqueuedAt, deadline, budget, isFromSpill = false }: EntryOptions) {
    this.data = data
    this.enqueuedAt = enqueuedAt
    this.deadline = deadline
    this.#settlement = settlement
    this.#index = index
    this.#budget = budget
    this.isFromSpill = isFromSpill
  }

  get settled(): boolean {
    return this.#settled
  }

  /** Whether there is nothing left to try: it is settled, or will be when the spill has it. */
  get isOut(): boolean {
    return this.#settled || this.#isLeaving
  }

  /** It goes to the spill. A call that still carries it may settle it before. */
  leave(): void {
    this.#isLeaving = true
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
