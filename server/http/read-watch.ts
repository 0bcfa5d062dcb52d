import type { Clock } from '../../plugin/clock.js'

/** A stream that a host app has changed is noticed after so long at most. */
const CHECK_MS = 1_000

/** A read that is under way. */
export interface PendingRead {
  /** Settles the read where its stream will tell nothing more. Must not throw. */
  check(): void
}

/**
 * Looks at the reads that are under way once a second. A host app can take a request's listeners away, pause it or
 * destroy its socket; none of the stream's own events tells of that, and the client would wait for ever.
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
