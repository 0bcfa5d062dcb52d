/** A list that grows, and that tests can wait for. */
export class Arrivals<T> {
  readonly all: T[] = []
  readonly #waiting = new Set<() => void>()

  add(item: T): void {
    this.all.push(item)
    for (const check of this.#waiting) check()
  }

  /** Resolves to what matches when there is so much of it. */
  until(count: number, matches: (item: T) => boolean = () => true): Promise<T[]> {
    return new Promise((resolve) => {
      const check = () => {
        const found = this.all.filter(matches)
        if (found.length < count) return
        this.#waiting.delete(check)
        resolve(found)
      }
      this.#waiting.add(check)
      check()
    })
  }
}
