import { type Clock, systemClock } from './clock.js'
import type { Slices } from './slices.js'

/** Work that ends sooner is done at once; that of a usual request does. */
const AT_ONCE_MS = 5
/** How long all other work holds the event loop without a pause. */
const TURN_MS = 10
/** How long all that comes in one turn of the event loop holds it, before it waits for another turn. */
const ALL_AT_ONCE_MS = 25
/** Even where others have used up that time, or are before it in the line. */
const LEAST_MS = 0.5
/** Work on more bytes goes behind all that is shorter: no honest sender of small bodies waits for large ones. */
const SHORT_BYTES = 256 * 1024

interface Job {
  readonly work: Slices<unknown>
  resolve(value: never): void
  reject(error: unknown): void
}

/**
 * Does long work one after another, in turns: between two turns the event loop does whatever else there is. Work of
 * which one piece is too long still holds it for that piece.
 *
 * One at a time, as work that has begun holds more memory than work that waits.
 */
export class Turns {
  readonly #clock: Pick<Clock, 'now' | 'defer'>
  readonly #short: Job[] = []
  readonly #long: Job[] = []
  #isRunning = false
  /** What the work that came in this turn has taken so far. */
  #spentMs = 0

  constructor(clock: Pick<Clock, 'now' | 'defer'>) {
    this.#clock = clock
  }

  /**
   * Begins with the work at once. Returns its result if that does not take long, else a promise of it.
   *
   * @param bytes - how large it is, about
   * @throws what the work throws
   */
  run<T>(work: Slices<T>, bytes: number): T | Promise<T> {
    const first = work.next()
    if (first.done === true) return first.value
    const line = bytes <= SHORT_BYTES ? this.#short : this.#long
    const from = this.#clock.now()
    const isHeldUp = line.length > 0 || this.#spentMs > ALL_AT_ONCE_MS
    const end = this.#advance(work, from + (isHeldUp ? LEAST_MS : AT_ONCE_MS))
    this.#spend(this.#clock.now() - from)
    if (end !== undefined) return end.value
    return new Promise<T>((resolve, reject) => {
      line.push({ work, resolve, reject })
      if (this.#isRunning) return
      this.#isRunning = true
      this.#clock.defer(() => this.#turn())
    })
  }

  #turn(): void {
    const line = this.#short.length > 0 ? this.#short : this.#long
    const [job] = line
    if (job === undefined) {
      this.#isRunning = false
      return
    }
    this.#clock.defer(() => this.#turn())
    try {
      const end = this.#advance(job.work, this.#clock.now() + TURN_MS)
      if (end === undefined) return
      line.shift()
      job.resolve(end.value as never)
    } catch (error) {
      line.shift()
      job.reject(error)
    }
  }

  /** Goes on until `limit` at least. Returns the end if it comes to that. */
  #advance<T>(work: Slices<T>, limit: number): { readonly value: T } | undefined {
    do {
      const next = work.next()
      if (next.done === true) return next
    } while (this.#clock.now() < limit)
    return undefined
  }

  #spend(ms: number): void {
    if (this.#spentMs === 0) {
      this.#clock.defer(() => {
        this.#spentMs = 0
      })
    }
    this.#spentMs += ms
  }
}

/** For all work of this process: there is one event loop. */
export const turns = new Turns(systemClock)
