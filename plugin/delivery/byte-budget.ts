/** Bytes of memory that several holders share. */
export class ByteBudget {
  readonly capacity: number
  #used = 0

  constructor(capacity: number) {
    this.capacity = capacity
  }

  get used(): number {
    return this.#used
  }

  hasRoomFor(bytes: number): boolean {
    return this.#used + bytes <= this.capacity
  }

  /** Takes the bytes, or nothing and says `false`. */
  take(bytes: number): boolean {
    if (!this.hasRoomFor(bytes)) return false
    this.#used += bytes
    return true
  }

  giveBack(bytes: number): void {
    this.#used -= bytes
  }
}
