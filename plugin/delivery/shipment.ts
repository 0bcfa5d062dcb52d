import type { ByteBudget } from './byte-budget.js'
import type { RecordOutcome } from './outcome.js'

export interface ShipmentOptions {
  /** Records in it. */
  readonly size: number
  /** By `now()`, in ms. */
  readonly enqueuedAt: number
  /** By `now()`, in ms: what is not delivered then is given up. */
  readonly deadline: number
  /** What the records' bytes were taken from. */
  readonly budget: ByteBudget
  /** Whether it came out of the spill: its records do not go there again. */
  readonly isFromSpill?: boolean
  readonly onSettled?: (shipment: Shipment) => void
}

/** Records handed in together, with what is the same for all, and one promise for their outcomes. */
export class Shipment {
  /** Kept when the last outcome is known. */
  readonly outcomes: Promise<RecordOutcome[]>
  readonly enqueuedAt: number
  readonly deadline: number
  readonly budget: ByteBudget
  readonly isFromSpill: boolean
  readonly #known: RecordOutcome[]
  readonly #onSettled: ShipmentOptions['onSettled']
  #open: number
  #resolve!: (outcomes: RecordOutcome[]) => void

  constructor({ size, enqueuedAt, deadline, budget, isFromSpill = false, onSettled }: ShipmentOptions) {
    this.enqueuedAt = enqueuedAt
    this.deadline = deadline
    this.budget = budget
    this.isFromSpill = isFromSpill
    this.#known = new Array(size)
    this.#onSettled = onSettled
    this.#open = size
    this.outcomes = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  /** Tells what became of the record at this index; once for each. */
  settle(index: number, outcome: RecordOutcome): void {
    this.#known[index] = outcome
    if (--this.#open > 0) return
    this.#resolve(this.#known)
    this.#onSettled?.(this)
  }
}
