import type { Clock } from '../clock.js'
import type { FirehoseError } from '../errors.js'
import type { Logger } from '../logger.js'
import type { MappedRecord } from '../mapper.js'
import type { Spill, SpillTarget } from '../spill/spill.js'
import { streamName } from './notices.js'
import type { RecordOutcome } from './outcome.js'
import { SpillDrain } from './spill-drain.js'

/** What of a spill is the same for all that share it. */
export interface SpillParts {
  readonly store: Spill
  /** Of a target's calls, how much the spill may have, above 0 to 1. */
  readonly drainShare: number
  /** Keeps a record that Firehose refuses for good; resolves when that is durable. */
  readonly quarantine: (stream: string, record: Uint8Array, error: FirehoseError) => Promise<void>
}

export interface DeliverySpill extends SpillParts {
  readonly targetOf: (stream: string) => SpillTarget
}

export interface SpillingOptions extends DeliverySpill {
  /** Calls of a target at once. */
  readonly lanes: number
  /** Records in a call. */
  readonly batch: number
  readonly deliver: (records: readonly MappedRecord[]) => Promise<RecordOutcome[]>
  readonly isParked: (stream: string) => boolean
  readonly clock: Clock
  readonly logger: Logger
  /** Whose streams they are, for the log. @default not told */
  readonly owner?: (() => string) | undefined
}

/** What an earlier process, or one that died, left behind is looked for this often. */
const LOOK_MS = 10_000

/**
 * In an outage records come one by one: those of so many ms go together, or there would be a file for each. Whoever
 * waits for them has waited for `deliveryTimeout` before, or would be told to come back in seconds.
 */
const GATHER_MS = 100

/** A time at which records go into the spill together. */
interface Gathering {
  readonly over: Promise<void>
  /** Now. */
  readonly end: () => void
}

/** The way of one delivery's records into the spill, and out of it again. */
export class Spilling {
  readonly #options: SpillingOptions
  readonly #drains = new Map<string, SpillDrain>()
  readonly #gatherings = new Map<string, Gathering>()
  #cancelLook: (() => void) | undefined
  #isStopped = false

  constructor(options: SpillingOptions) {
    this.#options = options
    // Not in the turn of the constructor: what it delivers to is not made yet.
    void options.store.opened().then(() => options.clock.defer(() => this.#look()))
  }

  /**
   * Resolves when the records will outlive a power cut.
   *
   * Each call is an append of its own, so that what is wrong with one is not the others' loss; those of one turn the
   * spill writes together.
   *
   * @param records - called when they are written
   */
  append(stream: string, records: () => readonly Uint8Array[]): Promise<void> {
    const { store, targetOf } = this.#options
    const gathering = this.#gatherings.get(stream) ?? this.#gather(stream)
    const kept = gathering.over.then(() => {
      const left = records()
      return left.length > 0 ? store.append(targetOf(stream), left) : undefined
    })
    if (this.#isStopped) gathering.end()
    return kept.then(() => this.#drainLater(stream))
  }

  #gather(stream: string): Gathering {
    let cancel = () => {}
    let end = () => {}
    const over = new Promise<void>((resolve) => {
      end = () => {
        cancel()
        this.#gatherings.delete(stream)
        resolve()
      }
    })
    cancel = this.#options.clock.after(GATHER_MS, end)
    const gathering = { over, end }
    this.#gatherings.set(stream, gathering)
    return gathering
  }

  /** The stream takes records: what it has in the spill may go out. */
  drain(stream: string): void {
    this.#drains.get(stream)?.poke()
  }

  /** Resolves when nothing of the spill is under way any more. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#cancelLook?.()
    for (const gathering of [...this.#gatherings.values()]) gathering.end()
    await Promise.all([...this.#drains.values()].map((drain) => drain.stop()))
  }

  /** Not once it is stopped: such a drain would claim, in vain and for ever, what others could deliver. */
  #drainLater(stream: string): void {
    if (!this.#isStopped) this.#drain(stream).later()
  }

  #look(): void {
    if (this.#isStopped) return
    const { store, targetOf, clock } = this.#options
    for (const { key, stream } of store.targets()) {
      if (key === targetOf(stream).key) this.#drain(stream).poke()
    }
    this.#cancelLook = clock.after(LOOK_MS, () => this.#look())
  }

  #drain(stream: string): SpillDrain {
    const known = this.#drains.get(stream)
    if (known !== undefined) return known
    const { store, targetOf, drainShare, lanes, batch, deliver, isParked, quarantine, clock, logger, owner } =
      this.#options
    const drain = new SpillDrain({
      spill: store,
      target: targetOf(stream),
      lanes: Math.max(1, Math.floor(lanes * drainShare)),
      batch,
      deliver: (records) => deliver(records.map((data) => ({ stream, data }))),
      isParked: () => isParked(stream),
      quarantine: (record, error) => quarantine(stream, record, error),
      clock,
      onEmpty: (sent) =>
        logger.info(
          `The spill of stream ${streamName(stream, owner)} is empty: ${sent} record(s) sent from it`,
        ),
      onError: (error) => {
        const why = error instanceof Error ? error.message : String(error)
        logger.error(`The spill of stream ${streamName(stream, owner)} cannot be emptied for now: ${why}`)
      },
    })
    this.#drains.set(stream, drain)
    return drain
  }
}
