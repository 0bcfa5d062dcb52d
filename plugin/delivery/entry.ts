import { heldBytes } from './held-bytes.js'
import type { RecordOutcome } from './outcome.js'
import type { Shipment } from './shipment.js'

/**
 * One document on its way. Settled exactly once. Its bytes are given back when nothing holds them any more: a call
 * may still be carrying an entry that has been settled by its deadline.
 */
export class Entry {
  readonly data: Uint8Array
  attempts = 0
  readonly #shipment: Shipment
  readonly #index: number
  #inFlight = false
  #settled = false
  #isLeaving = false

  /** @param index - in the shipment */
  constructor(data: Uint8Array, shipment: Shipment, index: number) {
    this.data = data
    this.#shipment = shipment
    this.#index = index
  }

  get enqueuedAt(): number {
    return this.#shipment.enqueuedAt
  }

  get deadline(): number {
    return this.#shipment.deadline
  }

  get isFromSpill(): boolean {
    return this.#shipment.isFromSpill
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
    if (!this.#inFlight) this.#giveBack()
    this.#shipment.settle(this.#index, outcome)
    return true
  }

  beginCall(): void {
    this.#inFlight = true
    this.attempts++
  }

  endCall(): void {
    this.#inFlight = false
    if (this.#settled) this.#giveBack()
  }

  #giveBack(): void {
    this.#shipment.budget.giveBack(heldBytes(this.data))
  }
}
