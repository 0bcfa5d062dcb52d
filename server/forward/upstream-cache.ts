import { LRUCache } from 'lru-cache'
import type { Clock } from '../../plugin/clock.js'

/** A value that failed to load is used as long as this after it was loaded. */
const STALE_MS = 24 * 60 * 60_000
/** After a failure nothing is loaded for so long. */
const FAILURE_MS = 30_000
const MAX_FAILURES = 1000

export interface Loaded<V> {
  readonly value: V
  /** What it takes of memory. */
  readonly bytes: number
}

export interface UpstreamCacheOptions<V> {
  readonly clock: Clock
  /** `undefined`, or a rejection, where it failed. */
  readonly load: (key: string) => Promise<Loaded<V> | undefined>
  /** In ms. */
  readonly fresh: number
  readonly maxEntries: number
  readonly maxBytes: number
  /** Loads under way: beyond them one fails at once. */
  readonly maxLoads: number
}

/**
 * What an upstream said, for a time, and for longer while it fails. Callers that want the same wait for one load.
 *
 * Ages are reckoned here: lru-cache takes a start at 0, as a clock of our own may have, for none.
 */
export class UpstreamCache<V> {
  readonly #options: UpstreamCacheOptions<V>
  readonly #loaded: LRUCache<string, Loaded<V> & { readonly at: number }>
  /** SECURITY: apart, so that asking for what is not there does not push out what is. */
  readonly #failedAt = new LRUCache<string, number>({ max: MAX_FAILURES })
  readonly #loads = new Map<string, Promise<void>>()

  constructor(options: UpstreamCacheOptions<V>) {
    this.#options = options
    this.#loaded = new LRUCache({
      max: options.maxEntries,
      maxSize: options.maxBytes,
      sizeCalculation: ({ bytes }) => Math.max(1, bytes),
    })
  }

  /** Never rejects. */
  async get(key: string): Promise<V | undefined> {
    if (!this.#isYounger(this.#loaded.get(key)?.at, this.#options.fresh)) await this.#loadOnce(key)
    const known = this.#loaded.get(key)
    return this.#isYounger(known?.at, STALE_MS) ? known?.value : undefined
  }

  #loadOnce(key: string): Promise<void> {
    const underWay = this.#loads.get(key)
    if (underWay !== undefined) return underWay
    const mayNot = this.#loads.size >= this.#options.maxLoads
    if (mayNot || this.#isYounger(this.#failedAt.get(key), FAILURE_MS)) return Promise.resolve()
    const load = this.#load(key).finally(() => this.#loads.delete(key))
    this.#loads.set(key, load)
    return load
  }

  async #load(key: string): Promise<void> {
    const { load, clock } = this.#options
    const loaded = await load(key).catch(() => undefined)
    if (loaded === undefined) this.#failedAt.set(key, clock.now())
    else this.#loaded.set(key, { ...loaded, at: clock.now() })
  }

  #isYounger(at: number | undefined, ms: number): boolean {
    return at !== undefined && this.#options.clock.now() - at < ms
  }
}
