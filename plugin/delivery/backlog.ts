import type { Entry } from './entry.js'
import { EntryQueue } from './entry-queue.js'

/**
 * What waits for one stream: the queue, and before it the parts of calls that Firehose found invalid. Each part is
 * sent in a call of its own, until the bad record stands alone.
 */
export class Backlog {
  readonly #queue = new EntryQueue()
  #parts: EntryQueue[] = []

  /** Records and bytes in the queue, and when the oldest came; parts are not counted, they never linger. */
  get queue(): { readonly length: number; readonly bytes: number; readonly oldest: Entry | undefined } {
    return { length: this.#queue.length, bytes: this.#queue.bytes, oldest: this.#queue.peekFront() }
  }

  get hasParts(): boolean {
    return this.#parts.length > 0
  }

  /** Where the next call takes its entries, and whether that is a part; nothing where nothing waits. */
  next(): { readonly source: EntryQueue; readonly isPart: boolean } | undefined {
    this.#parts = this.#parts.filter((part) => part.length > 0)
    const [part] = this.#parts
    if (part !== undefined) return { source: part, isPart: true }
    return this.#queue.length > 0 ? { source: this.#queue, isPart: false } : undefined
  }

  add(entry: Entry): void {
    this.#queue.push(entry)
  }

  /** Entries that were sent and have to be sent again go before all others. */
  putBack(entries: readonly Entry[], isPart: boolean): void {
    const open = entries.filter((entry) => !entry.isOut)
    if (isPart) this.#parts.unshift(new EntryQueue(open))
    else this.#queue.putBack(open)
  }

  /** Lets the halves of `entries` be sent apart. */
  split(entries: readonly Entry[]): void {
    const middle = Math.ceil(entries.length / 2)
    this.putBack(entries.slice(middle), true)
    this.putBack(entries.slice(0, middle), true)
  }

  /** Lets go of entries that were given up while they waited, so that their bytes can be freed. */
  dropGivenUp(): void {
    for (const queue of [this.#queue, ...this.#parts]) {
      while (queue.peekFront()?.isOut) queue.shift()
    }
  }

  takeAll(): Entry[] {
    const all = [...this]
    this.#queue.clear()
    this.#parts = []
    return all
  }

  *[Symbol.iterator](): Iterator<Entry> {
    for (const part of this.#parts) yield* part
    yield* this.#queue
  }
}
