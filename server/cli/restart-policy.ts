/** A worker that lived so long had started well. */
const STEADY_MS = 10_000
const MAX_EARLY_ENDS = 5
const FIRST_WAIT_MS = 100

/** When a worker that has ended is replaced: later each time, and in the end no more, where it ends as soon as it began. */
export class RestartPolicy {
  #earlyEnds = 0

  /** In how many ms the next may start; `undefined` where it would only end like those before it. */
  waitAfter(livedMs: number): number | undefined {
    if (livedMs >= STEADY_MS) {
      this.#earlyEnds = 0
      return 0
    }
    this.#earlyEnds++
    return this.#earlyEnds > MAX_EARLY_ENDS ? undefined : FIRST_WAIT_MS * 2 ** (this.#earlyEnds - 1)
  }
}
