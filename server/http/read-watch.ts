import type { Clock } from '../../plugin/clock.js'

/** How often to check the reads that are under way, in ms. */
const CHECK_MS = 1_000

/** A read that is under way. */
export interface PendingRead {
  /** Settles the read if its stream will emit nothing more. Must not throw. */
  check(): void
}

/**
 * Checks the reads that are under way once a second. A host app can remove a request's listeners, pause the request or
 * destroy its socket. The stream emits no event then, and the client would wait for ever.
 */
export class ReadWatch {
  readonly #clock: Pick<Clock, 'after'>
  readonly #reads = new Set<PendingRead>()
  #isWaiting = false

  constructor(clock: Pick<Clock, 'after'>) {
    this.#clock = clock
  }

  add(read: PendingRead): void {
    this.#reads.add(read)
    this.#wait()
  }

  delete(read: PendingRead): void {
    this.#reads.delete(read)
  }

  #wait(): void {
    if (this.#isWaiting || this.#reads.size === 0) return
    this.#isWaiting = true
    this.#clock.after(CHECK_MS, () => {
      this.#isWaiting = false
      for (const read of this.#reads) read.check()
      this.#wait()
    })
  }
}
