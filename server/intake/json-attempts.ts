import { JsonScanner } from '../../plugin/json/json-scanner.js'
import { JsonSyntaxError } from '../../plugin/json/json-syntax-error.js'
import { SLICE_BYTES, type Slices } from '../../plugin/slices.js'
import { endByBrackets } from './broken-json.js'

/** A body with more broken places is not looked through any further. */
const MAX_FAILURES = 500
/** Bytes that may be looked at in vain, as a multiple of the body. */
const MAX_WASTE = 4
/** What an attempt costs beside its bytes, in bytes. */
const ATTEMPT_COST = 256

/**
 * Reads values of a body that is broken somewhere, and counts the bytes that it reads in vain.
 *
 * SECURITY: without a limit on these, time would grow with the square of the body's size.
 */
export class JsonAttempts {
  readonly #bytes: Buffer
  readonly #onTooMany: (start: number) => void
  readonly #scanner = new JsonScanner()
  #attempts = 0
  #failures = 0
  #wasted = 0
  #pausedAt = 0
  #isGivenUp = false
  #lastPosition = 0

  /** @param onTooMany - called once, with where the last attempt began: the body is not worth any more of them */
  constructor(bytes: Buffer, onTooMany: (start: number) => void) {
    this.#bytes = bytes
    this.#onTooMany = onTooMany
  }

  get isGivenUp(): boolean {
    return this.#isGivenUp
  }

  /** Of the last failure: the first byte that cannot be part of valid JSON. */
  get lastPosition(): number {
    return this.#lastPosition
  }

  /** Whether it is time for a pause, for one who has come as far as `at`. */
  isPauseDue(at: number): boolean {
    const done = at + this.#wasted + this.#attempts * ATTEMPT_COST
    if (done - this.#pausedAt < SLICE_BYTES) return false
    this.#pausedAt = done
    return true
  }

  /** Where the value that begins here ends, if it is valid. */
  *strictEnd(start: number): Slices<number | undefined> {
    this.#attempts++
    try {
      return yield* this.#scanner.endOfValue(this.#bytes, start)
    } catch (error) {
      if (!(error instanceof JsonSyntaxError)) throw error
      this.#lastPosition = error.position
      this.#failures++
      this.waste(error.position - start, start)
      return undefined
    }
  }

  /**
   * Where the object or array that begins here ends, by its brackets and strings alone; `undefined` where they do not
   * fit together.
   */
  *tolerantEnd(start: number): Slices<number | undefined> {
    const end = yield* endByBrackets(this.#bytes, start)
    if (end === undefined) this.waste(this.#bytes.length - start, start)
    return end
  }

  /** Counts bytes that were looked at in vain, from `start` on. */
  waste(bytes: number, start: number): void {
    this.#wasted += bytes
    const isTooMuch = this.#failures > MAX_FAILURES || this.#wasted > MAX_WASTE * this.#bytes.length
    if (!isTooMuch || this.#isGivenUp) return
    this.#isGivenUp = true
    this.#onTooMany(start)
  }
}
