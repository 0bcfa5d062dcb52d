/** Holders of a budget who give their bytes up when others need them. */
export interface Reclaimable {
  /** Bytes that they would give up now. */
  readonly reclaimableBytes: number
  /** Makes them give back at least so many bytes, or all of {@link reclaimableBytes} where that is less. */
  reclaim(bytes: number): void
}

/** Bytes of memory that several holders share. */
export class ByteBudget {
  readonly #capacity: number
  #used = 0
  #reclaimable: Reclaimable | undefined

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get capacity(): number {
    return this.#capacity
  }

  get used(): number {
    return this.#used
  }

  /** Bytes that holders would give up for others. */
  get reclaimableBytes(): number {
    return this.#reclaimable?.reclaimableBytes ?? 0
  }

  /** From now on, a take that finds no room gets what these holders give up. */
  reclaimFrom(holders: Reclaimable): void {
    this.#reclaimable = holders
  }

  hasRoomFor(bytes: number): boolean {
    const missing = this.#missing(bytes)
    return missing <= 0 || missing <= this.reclaimableBytes
  }

  /** Takes the bytes, or nothing and says `false`. */
  take(bytes: number): boolean {
    const missing = this.#missing(bytes)
    if (missing > 0) {
      if (missing > this.reclaimableBytes) return false
      this.#reclaimable?.reclaim(missing)
    }
    this.#used += bytes
    return true
  }

  giveBack(bytes: number): void {
    this.#used -= bytes
  }

  #missing(bytes: number): number {
    return this.#used + bytes - this.#capacity
  }
}
