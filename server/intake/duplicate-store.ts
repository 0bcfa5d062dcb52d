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

/** A store in the memory of this process. It takes none before there is something to remember: sources are many. */
export class MemoryDuplicateStore implements DuplicateStore {
  readonly #options: DuplicateStoreOptions
  #ids: LRUCache<string, true> | undefined

  constructor(options: DuplicateStoreOptions) {
    this.#options = options
  }

  known(ids: readonly string[]): ReadonlySet<string> {
    const known = this.#ids
    return new Set(known && ids.filter((id) => known.has(id)))
  }

  remember(ids: readonly string[]): void {
    this.#ids ??= cacheOf(this.#options)
    for (const id of ids) this.#ids.set(id, true)
  }
}

function cacheOf({ windowMs, maxEntries, clock }: DuplicateStoreOptions): LRUCache<string, true> {
  return new LRUCache({
    // By size and not by `max`, which would reserve the memory of a full store at once.
    maxSize: maxEntries,
    sizeCalculation: () => 1,
    ttl: windowMs,
    ttlResolution: 0,
    perf: { now: () => clock.now() },
  })
}
