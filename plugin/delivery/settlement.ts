import type { RecordOutcome } from './outcome.js'

/** The outcomes of records handed in together: one promise for all of them, kept when the last is known. */
export class Settlement {
  readonly promise: Promise<RecordOutcome[]>
  readonly #outcomes: RecordOutcome[]
  #open: number
  #resolve!: (outcomes: RecordOutcome[]) => void

  constructor(size: number) {
    this.#outcomes = new Array(size)
    this.#open = size
    this.promise = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  settle(index: number, outcome: RecordOutcome): void {
    this.#outcomes[index] = outcome
    if (--this.#open === 0) this.#resolve(this.#outcomes)
  }
}
