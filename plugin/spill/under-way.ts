/** Work that whoever closes has to wait for. */
export class UnderWay {
  readonly #settled = new Set<Promise<unknown>>()

  /** @returns the work itself, which may reject */
  track<T>(work: Promise<T>): Promise<T> {
    const settled = work.then(
      () => {},
      () => {},
    )
    this.#settled.add(settled)
    void settled.then(() => this.#settled.delete(settled))
    return work
  }

  /** Resolves when all that is under way now is over. Never rejects. */
  async over(): Promise<void> {
    await Promise.all(this.#settled)
  }
}
