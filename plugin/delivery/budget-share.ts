import { ByteBudget } from './byte-budget.js'

/**
 * A source may hold this many times what it leaves free: three quarters of the budget where no other source holds
 * anything, three sevenths where there are two, and so on. However many streams hang, one more source finds room.
 */
const TIMES_FREE = 3

/** The part of a budget that one of several sources may have: a source whose streams hang leaves room to the others. */
export class BudgetShare extends ByteBudget {
  readonly #whole: ByteBudget
  readonly #isAlone: () => boolean
  #own = 0

  /** @param isAlone - whether no other source needs room now */
  constructor(whole: ByteBudget, isAlone: () => boolean) {
    super(whole.capacity)
    this.#whole = whole
    this.#isAlone = isAlone
  }

  /** Bytes that fit while nobody holds anything. */
  override get capacity(): number {
    const { capacity } = this.#whole
    return this.#isAlone() ? capacity : Math.floor((capacity * TIMES_FREE) / (TIMES_FREE + 1))
  }

  /** Bytes that all who share the budget hold. */
  override get used(): number {
    return this.#whole.used
  }

  override hasRoomFor(bytes: number): boolean {
    if (!this.#whole.hasRoomFor(bytes)) return false
    if (this.#isAlone()) return true
    const { capacity, used } = this.#whole
    const leavesEnough = (free: number) => this.#own + bytes <= TIMES_FREE * (free - bytes)
    return leavesEnough(capacity - used) || leavesEnough(capacity - used + this.#whole.reclaimableBytes)
  }

  override take(bytes: number): boolean {
    if (!this.hasRoomFor(bytes) || !this.#whole.take(bytes)) return false
    this.#own += bytes
    return true
  }

  override giveBack(bytes: number): void {
    this.#own -= bytes
    this.#whole.giveBack(bytes)
  }
}
