import type { Api } from '../aws/put.js'
import type { Clock } from '../clock.js'
import type { PutApi } from '../settings/settings.js'

/** After so long PutRecordBatch is tried again: the policy may have been mended. */
const LOOK_AGAIN_MS = 3_600_000

/**
 * Which call carries a stream's records. With `auto` it is PutRecordBatch; where a policy refuses that, one
 * PutRecord is tried, and if that is allowed, PutRecord it is.
 *
 * Segment's documented policy grants only PutRecord: whoever comes from there meets this.
 */
export class ApiChoice {
  readonly #auto: boolean
  readonly #clock: Clock
  #api: Api
  #tentative = false
  #warned = false
  #until = Number.POSITIVE_INFINITY

  constructor(setting: PutApi, clock: Clock) {
    this.#auto = setting === 'auto'
    this.#api = setting === 'PutRecord' ? 'PutRecord' : 'PutRecordBatch'
    this.#clock = clock
  }

  get current(): Api {
    if (this.#auto && this.#clock.now() >= this.#until) this.#reset()
    return this.#api
  }

  /** PutRecord is being tried out: one call will tell. */
  get tentative(): boolean {
    return this.#tentative
  }

  /** A policy refused `api`; says whether the other one is left to try. */
  denied(api: Api): boolean {
    if (!this.#auto) return false
    if (api === 'PutRecord') {
      this.#reset()
      return false
    }
    // Other batches may have been under way when the first was refused: they only follow.
    if (this.#api === 'PutRecordBatch') this.#tentative = true
    this.#api = 'PutRecord'
    return true
  }

  /** `api` was allowed; says whether this settles the fallback for the first time. */
  allowed(api: Api): boolean {
    if (!this.#tentative || api !== 'PutRecord') return false
    this.#tentative = false
    this.#until = this.#clock.now() + LOOK_AGAIN_MS
    const first = !this.#warned
    this.#warned = true
    return first
  }

  #reset(): void {
    this.#api = 'PutRecordBatch'
    this.#tentative = false
    this.#until = Number.POSITIVE_INFINITY
  }
}
