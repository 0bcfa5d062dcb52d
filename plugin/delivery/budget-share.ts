import { ByteBudget } from './byte-budget.js'

/**
 * A source may hold so many times what it leaves free: three quarters where it is the only one that holds anything,
 * three sevenths where there are two, and so on. However many streams hang, there is always room for one more source.
 */
const TIMES_FREE = 3

/** What one of several sources may have of a budget, so that one whose streams hang does not take the others' room. */
export class BudgetShare extends ByteBudget {
  readonly #whole: ByteBudget
  readonly #isAlone: () => boolean
  #own = 0

  /** @param isAlone - whether there is no other source now, for which room would have to be left */
  constructor(whole: ByteBudget, isAlone: () => boolean) {
    super(whole.capacity)
    this.#whole = whole
    this.#isAlone = isAlone
  }

  /** What fits where nobody holds anything. */
  override get capacity(): number {
    const { capacity } = this.#whole
    return this.#isAlone() ? capacity : Math.floor((capacity * TIMES_FREE) / (TIMES_FREE + 1))
  }

  /** By all who share the budget. */
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
