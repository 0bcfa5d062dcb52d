/** Holders of a budget who give up what they hold where others need it. */
export interface Reclaimable {
  /** What they would give up now. */
  readonly reclaimableBytes: number
  /** Gives back so many bytes, or all of {@link reclaimableBytes} where that is less. */
  reclaim(bytes: number): void
}

/** Bytes of memory that several holders share. */
export class ByteBudget {
  readonly capacity: number
  #used = 0
  #reclaimable: Reclaimable | undefined

  constructor(capacity: number) {
    this.capacity = capacity
  }

  get used(): number {
    return this.#used
  }

  /** From now on takes of others may have what these holders would give up. */
  reclaimFrom(holders: Reclaimable): void {
    this.#reclaimable = holders
  }

  hasRoomFor(bytes: number): boolean {
    const missing = this.#missing(bytes)
    return missing <= 0 || missing <= (this.#reclaimable?.reclaimableBytes ?? 0)
  }

  /** Takes the bytes, or nothing and says `false`. */
  take(bytes: number): boolean {
    if (!this.hasRoomFor(bytes)) return false
    const missing = this.#missing(bytes)
    if (missing > 0) this.#reclaimable?.reclaim(missing)
    this.#used += bytes
    return true
  }

  giveBack(bytes: number): void {
    this.#used -= bytes
  }

  #missing(bytes: number): number {
    return this.#used + bytes - this.capacity
  }
}
