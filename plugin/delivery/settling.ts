import type { FirehoseError } from '../errors.js'
import { UnfitRecordError } from '../spill/spill.js'
import type { Entry } from './entry.js'
import { notSpilled } from './failures.js'

export interface SettlingOptions {
  readonly stream: string
  /**
   * Keeps records that cannot be delivered in time; resolves when they will outlive a power cut. `records` is called when
   * they are written: by then some may have been delivered after all.
   */
  readonly spill?: ((records: () => readonly Uint8Array[]) => Promise<void>) | undefined
}

/** Settles the entries of one stream, and counts how. */
export class Settling {
  readonly #stream: string
  readonly #spill: SettlingOptions['spill']
  readonly #counts = { delivered: 0, spilled: 0, failed: 0 }

  constructor({ stream, spill }: SettlingOptions) {
    this.#stream = stream
    this.#spill = spill
  }

  get counts(): { readonly delivered: number; readonly spilled: number; readonly failed: number } {
    return this.#counts
  }

  /** Counts a record that failed before it became an entry. */
  countFailed(): void {
    this.#counts.failed++
  }

  deliver(entries: readonly Entry[], recordId: string): void {
    for (const entry of entries) if (entry.settle({ status: 'delivered', recordId })) this.#counts.delivered++
  }

  fail(entries: readonly Entry[], error: FirehoseError): void {
    for (const entry of entries) {
      // What came out of the spill goes back there: it has not failed for good.
      if (entry.settle({ status: 'failed', error }) && !entry.isFromSpill) this.#counts.failed++
    }
  }

  /** Nothing more is tried: what can go to the spill does, and the rest fails. */
  giveUp(entries: readonly Entry[], error: FirehoseError): void {
    const open = entries.filter((entry) => !entry.isOut)
    const isSpillable = (entry: Entry) => this.#spill !== undefined && !entry.isFromSpill
    const spillable = open.filter(isSpillable)
    this.fail(
      open.filter((entry) => !isSpillable(entry)),
      error,
    )
    for (const entry of spillable) entry.leave()
    if (this.#spill !== undefined && spillable.length > 0) void this.#keep(spillable, this.#spill, error)
  }

  /** A record that the spill can never take must not cost those beside it their place: the halves are tried apart. */
  async #keep(
    entries: readonly Entry[],
    spill: NonNullable<SettlingOptions['spill']>,
    error: FirehoseError,
  ): Promise<void> {
    try {
      await spill(() => entries.filter((entry) => !entry.settled).map((entry) => entry.data))
      for (const entry of entries) if (entry.settle({ status: 'spilled' })) this.#counts.spilled++
    } catch (cause) {
      if (entries.length > 1 && cause instanceof UnfitRecordError) {
        const middle = Math.ceil(entries.length / 2)
        const halves = [entries.slice(0, middle), entries.slice(middle)]
        await Promise.all(halves.map((half) => this.#keep(half, spill, error)))
        return
      }
      this.fail(entries, notSpilled(this.#stream, error, cause))
    }
  }
}
