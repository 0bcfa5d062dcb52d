import { LRUCache } from 'lru-cache'
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

/** A store in the memory of this process. */
export class MemoryDuplicateStore implements DuplicateStore {
  readonly #ids: LRUCache<string, true>

  constructor({ windowMs, maxEntries, clock }: DuplicateStoreOptions) {
    // By size and not by `max`, which would reserve the memory of a full store for a source that is never used.
    this.#ids = new LRUCache({
      maxSize: maxEntries,
      sizeCalculation: () => 1,
      ttl: windowMs,
      ttlResolution: 0,
      perf: { now: () => clock.now() },
    })
  }

  known(ids: readonly string[]): ReadonlySet<string> {
    return new Set(ids.filter((id) => this.#ids.has(id)))
  }

  remember(ids: readonly string[]): void {
    for (const id of ids) this.#ids.set(id, true)
  }
}
