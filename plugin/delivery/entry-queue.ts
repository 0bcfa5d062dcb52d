import Denque from 'denque'
import type { Entry } from './entry.js'

/** Entries in order, with the sum of their bytes. */
export class EntryQueue {
  readonly #entries: Denque<Entry>
  #bytes = 0

  constructor(entries: readonly Entry[] = []) {
    this.#entries = new Denque([...entries])
    for (const entry of entries) this.#bytes += entry.data.byteLength
  }

  get length(): number {
    return this.#entries.length
  }

  get bytes(): number {
    return this.#bytes
  }

  push(entry: Entry): void {
    this.#entries.push(entry)
    this.#bytes += entry.data.byteLength
  }

  /** Puts entries before all others, in their order. */
  putBack(entries: readonly Entry[]): void {
    for (let i = entries.length - 1; i >= 0; i--) {
      const entry = entries[i] as Entry
      this.#entries.unshift(entry)
      this.#bytes += entry.data.byteLength
    }
  }

  peekFront(): Entry | undefined {
    return this.#entries.peekFront()
  }

  shift(): Entry | undefined {
    const entry = this.#entries.shift()
    if (entry !== undefined) this.#bytes -= entry.data.byteLength
    return entry
  }

  clear(): void {
    this.#entries.clear()
    this.#bytes = 0
  }

  *[Symbol.iterator](): Iterator<Entry> {
    for (let i = 0; i < this.#entries.length; i++) yield this.#entries.peekAt(i) as Entry
  }
}
