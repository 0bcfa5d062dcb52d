import type { ClientPool } from './aws/client-pool.js'
import type { Clock } from './clock.js'
import type { ByteBudget } from './delivery/byte-budget.js'
import type { StreamReport, StreamStats } from './delivery/stats.js'
import type { FirehoseError } from './errors.js'
import type { SegmentEvent } from './event.js'
import type { DestinationConfiguration } from './settings/configuration.js'

/** What became of one event. `delivered`: every one of its records has its RecordId. */
export type EventOutcome =
  | { readonly status: 'delivered' | 'unmapped' | 'off' | 'dropped' }
  | { readonly status: 'failed'; readonly failures: readonly { stream: string; error: FirehoseError }[] }

export interface DestinationStats {
  /** Events that no row matched. */
  readonly unmapped: number
  /** Events whose `integrations` switch this destination off. */
  readonly off: number
  /** Events that `transform` dropped. */
  readonly dropped: number
  readonly delivered: number
  readonly failed: number
  readonly streams: Readonly<Record<string, StreamStats>>
}

export interface Destination {
  readonly configuration: DestinationConfiguration
  /** Maps and delivers; one outcome for each event, in order. Never rejects. */
  deliver(events: readonly SegmentEvent[]): Promise<EventOutcome[]>
  /** Whether so many more bytes fit under the memory cap. */
  hasRoomFor(bytes: number): boolean
  flush(): Promise<void>
  close(options?: { timeout?: number }): Promise<Readonly<Record<string, StreamReport>>>
  stats(): DestinationStats
}

export declare function createDestination(
  configuration: DestinationConfiguration,
  parts: { pool: ClientPool; budget?: ByteBudget; clock?: Clock },
): Destination
