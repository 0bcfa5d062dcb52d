import { LRUCache } from 'lru-cache'
import { type Clock, systemClock } from '../clock.js'
import { settingsError, showValue } from '../settings/problems.js'
import { PooledClient } from './client.js'
import { createClientKeys } from './client-key.js'
import type { ClientIdentity } from './sdk-clients.js'

/** The cache sets memory aside for all of its places when it is made. */
const MOST_CLIENTS = 100_000

/** Options of {@link createClientPool}. */
export interface ClientPoolOptions {
  /** Clients held at most. @default 100 */
  readonly max?: number | undefined
  /** Time for credentials and their refresh, for tests. @default the system's */
  readonly clock?: Clock | undefined
}

/** How a pool stands now, and counts since its start. */
export interface ClientPoolStats {
  /** Clients held now. */
  readonly clients: number
  /** Clients that had to make room for others. */
  readonly evictions: number
  /** AssumeRole calls made. */
  readonly assumeRoleCalls: number
}

/** Clients shared by deliveries, made by {@link createClientPool}. */
export interface ClientPool {
  /** The client of an identity, made at its first use. Ask anew for every call: clients come and go. */
  get(identity: ClientIdentity): PooledClient
  /** Counts since the start, and how many clients are held now. */
  stats(): ClientPoolStats
  /** Lets go of all clients; each is destroyed when its last call has ended. */
  close(): void
}

/**
 * Makes the pool that shares clients, and with them connections and credentials: one for each region, role, external
 * ID and endpoint. The client unused for longest makes room when the pool is full.
 *
 * @throws FirehoseError `ERR_SETTINGS`
 *
 * @example
 * const pool = createClientPool({ max: 500 })
 * const web = createDelivery({ settings: webSettings, pool })
 * const app = createDelivery({ settings: appSettings, pool })
 */
export function createClientPool(options: ClientPoolOptions = {}): ClientPool {
  const clock = options.clock ?? systemClock
  const max = options.max ?? 100
  if (!Number.isSafeInteger(max) || max < 1 || max > MOST_CLIENTS) {
    const fix = `use a whole number of clients from 1 to ${MOST_CLIENTS}`
    throw settingsError([`max: got ${showValue(max, [])}; ${fix}`])
  }
  const keyOf = createClientKeys()
  let evictions = 0
  let assumeRoleCalls = 0

  const clients = new LRUCache<string, PooledClient>({
    max,
    dispose: (client, _key, reason) => {
      if (reason === 'evict') evictions++
      client.retire()
    },
  })

  return {
    get(identity) {
      const key = keyOf(identity)
      const held = clients.get(key)
      if (held !== undefined) return held
      const client = new PooledClient(identity, clock, () => assumeRoleCalls++)
      clients.set(key, client)
      return client
    },
    stats: () => ({ clients: clients.size, evictions, assumeRoleCalls }),
    close: () => clients.clear(),
  }
}
