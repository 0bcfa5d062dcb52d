import type { Api } from '../aws/put.js'
import type { Clock } from '../clock.js'
import type { PutApi } from '../settings/settings.js'
import { ApiChoice } from './api-choice.js'
import { Circuit } from './circuit.js'
import { ConcurrencyLimit } from './concurrency-limit.js'
import { Pacer } from './pacer.js'
import { Pause } from './pause.js'

/** Calls in flight at most, where the settings do not say. PutRecord carries one record, so it needs more of them. */
export const BATCH_CALLS = 8
const SINGLE_CALLS = 50

export interface FlowControlOptions {
  readonly api: PutApi
  readonly concurrency: number | undefined
  readonly maxRequestsPerSecond: number
  readonly clock: Clock
}

/** When a stream may be called, how often at once and by which API: learnt from what its calls came to. */
export class FlowControl {
  readonly api: ApiChoice
  readonly circuit: Circuit
  readonly #concurrency: Readonly<Record<Api, ConcurrencyLimit>>
  readonly #pacer: Pacer
  readonly #pause: Pause
  readonly #clock: Clock

  constructor({ api, concurrency, maxRequestsPerSecond, clock }: FlowControlOptions) {
    this.api = new ApiChoice(api, clock)
    this.circuit = new Circuit(clock)
    this.#concurrency = {
      PutRecordBatch: new ConcurrencyLimit(concurrency ?? BATCH_CALLS),
      PutRecord: new ConcurrencyLimit(concurrency ?? SINGLE_CALLS),
    }
    this.#pacer = new Pacer(maxRequestsPerSecond)
    this.#pause = new Pause(clock)
    this.#clock = clock
  }

  /** Calls that may be in flight now. */
  get slots(): number {
    const isProbe = this.api.tentative || this.circuit.state === 'half-open'
    return isProbe ? 1 : this.#concurrency[this.api.current].calls
  }

  /** How long until a call may go out, in ms; 0 is now. */
  waitMs(now: number): number {
    return Math.max(this.#pause.waitMs(now), this.#pacer.waitMs(now))
  }

  /** A call goes out. Returns the round it belongs to, see {@link Pause}. */
  beginCall(): number {
    this.#pacer.take(this.#clock.now())
    return this.#pause.round
  }

  /** Firehose took something of a call of `round`. */
  progress(round: number): void {
    this.#pause.end(round)
    this.circuit.close()
  }

  /** Firehose took all of a call. */
  grow(api: Api): void {
    this.#concurrency[api].grow()
  }

  /** Something has to be sent again. @param throttledShare - of the call's records, from 0 to 1 */
  backOff({ api, round }: { readonly api: Api; readonly round: number }, throttledShare: number): void {
    const isNews = this.#pause.begin(round)
    if (isNews && throttledShare > 0) this.#concurrency[api].shrink(throttledShare)
  }
}
