/** What waits for a round, and whom to tell. */
export type Waiting<T> = T & {
  resolve(): void
  reject(error: unknown): void
}

export interface GroupCommitHooks<T> {
  /** Resolves those of a round that are committed, and rejects the others. Where it throws, it does so for the rest. */
  readonly commit: (round: readonly Waiting<T>[]) => Promise<void>
  /** How many of those that wait go into the next round, 1 at least. @default all */
  readonly roundSize?: (waiting: readonly T[]) => number
  /** Resolves when the next round may begin. What comes meanwhile joins it. @default at once */
  readonly turn?: () => Promise<void>
}

/** Makes writes that wait together one: a round at a time, and what comes meanwhile waits for the next. */
export class GroupCommit<T extends object> {
  readonly #hooks: GroupCommitHooks<T>
  #waiting: Waiting<T>[] = []
  #running: Promise<void> | undefined

  constructor(hooks: GroupCommitHooks<T>) {
    this.#hooks = hooks
  }

  /** Resolves when the item is committed. */
  add(item: T): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...item, resolve, reject })
      this.#running ??= this.#run()
    })
  }

  async idle(): Promise<void> {
    while (this.#running) await this.#running
  }

  async #run(): Promise<void> {
    const { commit, roundSize = ({ length }) => length, turn = () => Promise.resolve() } = this.#hooks
    // Those that come in the same turn of the event loop share the first round, too.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      await turn()
      const round = this.#waiting.splice(0, roundSize(this.#waiting))
      let error: unknown
      try {
        await commit(round)
      } catch (thrown) {
        error = thrown
      }
      // SECURITY: what was not accounted for must never be taken as committed. For the others this comes too late.
      for (const { reject } of round) reject(error ?? new Error('Nobody tells whether this was written'))
    }
    this.#running = undefined
  }
}
