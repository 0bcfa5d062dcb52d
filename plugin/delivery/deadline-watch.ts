import type { Clock } from '../clock.js'

/** Deadlines this close together are looked at in one go. */
const TICK_MS = 25

/** Calls back at the earliest of the deadlines it was told of, or up to 25 ms later. */
export class DeadlineWatch {
  readonly #clock: Clock
  readonly #onDeadline: () => void
  #at = Number.POSITIVE_INFINITY
  #cancel: (() => void) | undefined

  constructor(clock: Clock, onDeadline: () => void) {
    this.#clock = clock
    this.#onDeadline = onDeadline
  }

  watch(deadline: number): void {
    if (deadline >= this.#at) return
    this.stop()
    this.#at = deadline
    this.#cancel = this.#clock.after(Math.max(0, deadline - this.#clock.now()) + TICK_MS, () => {
      this.#at = Number.POSITIVE_INFINITY
      this.#onDeadline()
    })
  }

  stop(): void {
    this.#cancel?.()
    this.#at = Number.POSITIVE_INFINITY
  }
}
