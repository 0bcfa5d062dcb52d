/** Which stream, written with which client. */
export interface SpillTarget {
  /** 16 hex digits: a digest of region, role, external ID and endpoint. Stable over restarts, tells no secret. */
  readonly key: string
  /** Name of the delivery stream. */
  readonly stream: string
}

/** What is still to be delivered. */
export interface SpillStats {
  readonly files: number
  readonly records: number
  readonly bytes: number
  /** Age of the oldest record, in ms; `undefined` where there is none. */
  readonly oldestAgeMs: number | undefined
}

/** Records taken out to be delivered; nobody else has them meanwhile. The first `done` or `release` counts. */
export interface SpillClaim {
  readonly target: SpillTarget
  /** Each with its newline. */
  readonly records: readonly Uint8Array[]
  /** All have their RecordIds: forget them. Never rejects: what cannot be removed now is tried again later. */
  done(): Promise<void>
  /** Gives back the records at these indexes, by default all; the others have their RecordIds. Never rejects. */
  release(left?: readonly number[]): Promise<void>
}

/** Where records wait that could not be delivered in time. What is in it outlives the process and a power cut. */
export interface Spill {
  /**
   * Resolves when the records will outlive a power cut.
   *
   * @throws UnfitRecordError where a record can never be kept, SpillFullError, or the error of the disk or of SQS: then
   * none of them is kept, or at worst some are, as duplicates.
   */
  append(target: SpillTarget, records: readonly Uint8Array[]): Promise<void>
  /** Resolves when it is open, which may take for ever: before, `targets` knows of nothing. Never rejects. */
  opened(): Promise<void>
  /**
   * The oldest records of a target that nobody has; `undefined` where there are none, or it is closed.
   *
   * @param signal - aborted when whoever claims does not want to wait for its turn any more
   */
  claim(target: SpillTarget, signal?: AbortSignal): Promise<SpillClaim | undefined>
  /** Targets that have records here, claimed ones included. */
  targets(): readonly SpillTarget[]
  stats(): SpillStats
  /** Whether an append can be expected to be kept now: the spill is open, has room, and what it is in answers. */
  canTake(): boolean
  /** Waits for what is being written and gives back what is claimed. */
  close(): Promise<void>
}

/** The record fits in no spill of this kind: it says nothing of other records. */
export class UnfitRecordError extends Error {
  override readonly name = 'UnfitRecordError'
}

/** There is no room for more: nothing of the append was kept. */
export class SpillFullError extends Error {
  constructor(usedBytes: number, maxBytes: number) {
    super(
      `The spill is full: it holds ${usedBytes} of at most ${maxBytes} bytes. Raise the limit or mend the target`,
    )
    this.name = 'SpillFullError'
  }
}
