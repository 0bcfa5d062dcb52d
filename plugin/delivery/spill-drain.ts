import { backoffMs } from '../backoff.js'
import type { Clock } from '../clock.js'
import type { FirehoseError } from '../errors.js'
import type { Spill, SpillClaim, SpillTarget } from '../spill/spill.js'
import type { RecordOutcome } from './outcome.js'

export interface SpillDrainOptions {
  readonly spill: Spill
  readonly target: SpillTarget
  /** How many calls' worth of records are under way at once at most. */
  readonly lanes: number
  /** Records in a call. */
  readonly batch: number
  /** Sends records; what fails is not spilled again. */
  readonly deliver: (records: readonly Uint8Array[]) => Promise<RecordOutcome[]>
  /** Whether a record sent now would fail at once. */
  readonly isParked: () => boolean
  /** Keeps what Firehose refuses for good; resolves when that is durable. */
  readonly quarantine: (record: Uint8Array, error: FirehoseError) => Promise<void>
  readonly clock: Clock
  readonly onError: (error: unknown) => void
  /** Told how many records went out since it was last empty. */
  readonly onEmpty: (records: number) => void
}

const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 30_000

/**
 * Sends what one target has in the spill, oldest first, beside what comes in: never more at a time than its lanes, so
 * that live records keep the rest of the target's calls. It stops at the first sign that the target does not take
 * records, and tries again after a pause that grows.
 */
export class SpillDrain {
  readonly #options: SpillDrainOptions
  #running: Promise<void> | undefined
  #cancel: (() => void) | undefined
  #failures = 0
  #sent = 0
  readonly #stopping = new AbortController()
  /** That a record could not be kept elsewhere, since the last pause. */
  #isTold = false

  constructor(options: SpillDrainOptions) {
    this.#options = options
  }

  /** There may be something to send, and the target may take it. */
  poke(): void {
    if (this.#isStopped || this.#running !== undefined) return
    this.#cancel?.()
    this.#cancel = undefined
    this.#isTold = false
    this.#running = this.#run()
      .catch((error) => {
        this.#failures++
        this.#options.onError(error)
      })
      .finally(() => {
        this.#running = undefined
        this.#wait()
      })
  }

  /** There is something to send, of which the target would not have now. */
  later(): void {
    if (this.#running !== undefined || this.#cancel !== undefined) return
    this.#failures = Math.max(1, this.#failures)
    this.#wait()
  }

  /** Resolves when nothing is under way any more; what was claimed is given back. */
  async stop(): Promise<void> {
    // A thousand drains may wait for their turn to claim: it would take long to give back what each then has.
    this.#stopping.abort()
    this.#cancel?.()
    await this.#running
  }

  #wait(): void {
    if (this.#isStopped || this.#failures === 0) return
    const { clock } = this.#options
    const pause = FIRST_PAUSE_MS + backoffMs(this.#failures - 1, clock, FIRST_PAUSE_MS, LONGEST_PAUSE_MS)
    this.#cancel = clock.after(pause, () => this.poke())
  }

  async #run(): Promise<void> {
    const { spill, target, isParked } = this.#options
    while (!this.#isStopped) {
      if (isParked()) {
        this.#failures++
        return
      }
      const claim = await spill.claim(target, this.#stopping.signal)
      if (claim === undefined) return this.#empty()
      const isEmpty = await this.#sendOrGiveBack(claim)
      if (!isEmpty) {
        this.#failures++
        return
      }
      this.#failures = 0
    }
  }

  get #isStopped(): boolean {
    return this.#stopping.signal.aborted
  }

  #empty(): void {
    if (this.#isStopped) return
    this.#failures = 0
    const { spill, target, onEmpty } = this.#options
    // There may be more that others hold, or that cannot be had for now.
    const isLeft = spill.targets().some(({ key, stream }) => key === target.key && stream === target.stream)
    if (isLeft || this.#sent === 0) return
    onEmpty(this.#sent)
    this.#sent = 0
  }

  async #sendOrGiveBack(claim: SpillClaim): Promise<boolean> {
    try {
      return await this.#send(claim)
    } catch (error) {
      await claim.release()
      throw error
    }
  }

  /** Whether all of the claim is out of the spill. */
  async #send(claim: SpillClaim): Promise<boolean> {
    const { lanes, batch } = this.#options
    const { records } = claim
    const left: number[] = []
    let isSick = false
    for (let from = 0; from < records.length; from += lanes * batch) {
      const indexes = Array.from(
        { length: Math.min(lanes * batch, records.length - from) },
        (_, i) => from + i,
      )
      if (isSick || this.#isStopped) {
        left.push(...indexes)
        continue
      }
      const { undelivered, unkept } = await this.#sendSome(claim, indexes)
      left.push(...undelivered, ...unkept)
      // What Firehose refuses for good says nothing of the others, and must not hold them up.
      isSick = undelivered.length > 0
    }
    if (left.length === 0) await claim.done()
    else await claim.release(left.length === records.length ? undefined : left)
    this.#sent += records.length - left.length
    return left.length === 0
  }

  /** Which of the records are still to be delivered, and which are refused for good and could not be kept elsewhere. */
  async #sendSome({ records }: SpillClaim, indexes: readonly number[]) {
    const outcomes = await this.#options.deliver(indexes.map((index) => records[index] as Uint8Array))
    const undelivered: number[] = []
    const unkept: number[] = []
    // Together, as what keeps them writes all that wait at a time at once, and may do so only a few times a second.
    const keeping = indexes.map(async (index, i) => {
      const outcome = outcomes[i]
      if (outcome?.status === 'delivered') return
      const isRefused = outcome?.status === 'failed' && outcome.error.permanent
      if (!isRefused) undelivered.push(index)
      else if (!(await this.#quarantine(records[index] as Uint8Array, outcome.error))) unkept.push(index)
    })
    await Promise.all(keeping)
    return { undelivered, unkept }
  }

  /** Whether it is kept elsewhere: where not, it goes back, and those that were delivered beside it do not. */
  async #quarantine(record: Uint8Array, reason: FirehoseError): Promise<boolean> {
    try {
      await this.#options.quarantine(record, reason)
      return true
    } catch (error) {
      // The next thousand fail as the first did.
      if (!this.#isTold) this.#options.onError(error)
      this.#isTold = true
      return false
    }
  }
}
