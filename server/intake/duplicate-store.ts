import type { Clock } from '../../plugin/clock.js'

/** Remembers the IDs of events that are durable. One that is shared by several processes answers later. */
export interface DuplicateStore {
  /** Which of the IDs are remembered. */
  known(ids: readonly string[]): ReadonlySet<string> | Promise<ReadonlySet<string>>
  /** Returns, or resolves, when they are remembered. */
  remember(ids: readonly string[]): void | Promise<void>
}

export interface DuplicateStoreOptions {
  /** How long an ID is remembered, in ms. */
  readonly windowMs: number
  /** IDs remembered at most: beyond them the one seen longest ago is forgotten. */
  readonly maxEntries: number
  readonly clock: Clock
}

/** IDs that were remembered within half a window, as a rule. */
interface Generation {
  readonly ids: Set<string>
  /** When no more are added, and when the last of them is to be forgotten; by the clock's `now`. */
  closesAt: number
  expiresAt: number
}

/**
 * A store in the memory of this process. IDs are remembered by generations of half a window: each for at least the
 * window, and for half of it more at most. What is forgotten takes no memory any more, and before there is something
 * to remember nothing does: sources are many.
 */
export class MemoryDuplicateStore implements DuplicateStore {
  readonly #windowMs: number
  readonly #maxEntries: number
  /** IDs in a generation at most. */
  readonly #half: number
  readonly #clock: Clock
  /** The youngest first. */
  #generations: Generation[] = []
  #isAging = false

  constructor({ windowMs, maxEntries, clock }: DuplicateStoreOptions) {
    this.#windowMs = windowMs
    this.#maxEntries = maxEntries
    this.#half = Math.max(1, Math.floor(maxEntries / 2))
    this.#clock = clock
  }

  /** How many IDs it holds. */
  get size(): number {
    return this.#generations.reduce((sum, { ids }) => sum + ids.size, 0)
  }

  known(ids: readonly string[]): ReadonlySet<string> {
    this.#forgetExpired()
    const known = new Set<string>()
    for (const id of ids) if (this.#generations.some((generation) => generation.ids.has(id))) known.add(id)
    return known
  }

  remember(ids: readonly string[]): void {
    this.#forgetExpired()
    for (const id of ids) this.#open().ids.add(id)
    this.#age()
  }

  /** The generation that IDs are added to. A full one is closed, so that one half of all is always the latest. */
  #open(): Generation {
    const now = this.#clock.now()
    const [youngest] = this.#generations
    const isFull = youngest !== undefined && youngest.ids.size >= this.#half
    if (youngest !== undefined && !isFull && youngest.closesAt > now) return youngest
    if (youngest !== undefined && youngest.closesAt > now) {
      youngest.closesAt = now
      youngest.expiresAt = now + this.#windowMs
    }
    const closesAt = now + this.#windowMs / 2
    const begun = { ids: new Set<string>(), closesAt, expiresAt: closesAt + this.#windowMs }
    this.#generations.unshift(begun)
    // Room for those that this one will hold.
    while (this.#generations.length > 1 && this.size + this.#half > this.#maxEntries) this.#generations.pop()
    return begun
  }

  #forgetExpired(): void {
    const now = this.#clock.now()
    while ((this.#generations.at(-1)?.expiresAt ?? now) < now) this.#generations.pop()
  }

  /** Forgets IDs while nobody asks, too. */
  #age(): void {
    if (this.#isAging || this.#generations.length === 0) return
    this.#isAging = true
    this.#clock.after(this.#windowMs / 2, () => {
      this.#isAging = false
      this.#forgetExpired()
      this.#age()
    })
  }
}
