import type { ClientPool } from './aws/client-pool.js'
import type { Clock } from './clock.js'
import type { ByteBudget } from './delivery/byte-budget.js'
import { deliveryOf } from './delivery/create-delivery.js'
import type { CloseOptions, Delivery } from './delivery/delivery.js'
import { heldBytes } from './delivery/held-bytes.js'
import type { RecordOutcome } from './delivery/outcome.js'
import type { SpillParts } from './delivery/spilling.js'
import type { StreamReport, StreamStats } from './delivery/stats.js'
import { FirehoseError } from './errors.js'
import type { SegmentEvent } from './event.js'
import { MAX_RECORD_BYTES } from './limits.js'
import { type MappedRecord, type Mapper, type Mapping, mapperOf, UNROUTED } from './mapper.js'
import type { DestinationConfiguration } from './settings/configuration.js'
import { SLICE_BYTES, type Slices } from './slices.js'
import { turns } from './turns.js'

/**
 * What became of one event. `delivered`: every one of its records has its RecordId. `spilled`: those that have none are
 * in the spill, to be sent from there.
 */
export type EventOutcome =
  | { readonly status: 'delivered' | 'spilled' | 'unmapped' | 'off' | 'dropped' }
  | { readonly status: 'failed'; readonly failures: readonly DeliveryFailure[] }

export interface DeliveryFailure {
  /** `undefined` where the event failed before it could be routed. */
  readonly stream: string | undefined
  readonly error: FirehoseError
}

/** Counts of events since the start, and of records by stream. */
export interface DestinationStats {
  /** Events of which every record has its RecordId. */
  readonly delivered: number
  /** Events of which a record went to the spill, and none failed. */
  readonly spilled: number
  /** Events of which a record failed. */
  readonly failed: number
  /** Events that no row matched. */
  readonly unmapped: number
  /** Events whose `integrations` keep them out. */
  readonly off: number
  /** Events that `transform` dropped. */
  readonly dropped: number
  /** Records, by stream. */
  readonly streams: Readonly<Record<string, StreamStats>>
}

export interface DestinationParts {
  readonly pool: ClientPool
  /** Memory shared with others. @default `maxBufferedBytes` of its own */
  readonly budget?: ByteBudget
  readonly clock?: Clock
  readonly spill?: SpillParts | undefined
  /** Whose it is, asked at each notice that the log is told: it may be renamed. @default not told */
  readonly owner?: (() => string) | undefined
}

/** Holds memory of the budget that a delivery shares, for what is handed to it. */
export interface MemoryHolder {
  /** In bytes. */
  readonly held: number
  /** Hands what is held over to what `start` begins, which counts what it takes before it returns. */
  handOver<T>(start: () => T): T
}

const NO_HOLDER: MemoryHolder = { held: 0, handOver: (start) => start() }

/** Takes events in and tells what became of each: what the plugin and the proxy both stand on. */
export interface Destination {
  /**
   * Maps and delivers; one outcome for each event, in order. Never rejects. Events that do not all fit under the
   * memory cap fail together: their sender, who sends all again, would make duplicates of those that did.
   *
   * Many events are mapped in turns, between which others have theirs.
   *
   * @param holder - of the memory that the events take until they are queued
   */
  deliver(events: readonly SegmentEvent[], holder?: MemoryHolder): Promise<EventOutcome[]>
  /** Whether no stream of the mapping takes records: each is parked after an error that someone has to mend. */
  isParked(): boolean
  /** Sends what is queued now; resolves when all of it is settled. */
  flush(): Promise<void>
  /** Takes nothing more in, sends the rest, and reports by stream. Asked again, it keeps to the earliest end. */
  close(options?: CloseOptions): Promise<Readonly<Record<string, StreamReport>>>
  stats(): DestinationStats
}

/** Makes a destination: the mapper and the delivery as one, with the events counted. */
export function createDestination(
  configuration: DestinationConfiguration,
  parts: DestinationParts,
): Destination {
  return destinationOf(mapperOf(configuration), deliveryOf(configuration, parts))
}

/** {@link createDestination} of parts already made. */
export function destinationOf(mapper: Mapper, delivery: Delivery): Destination {
  return new MappingDestination(mapper, delivery)
}

/** What the mapping of an event costs beside its bytes, in bytes that are parsed meanwhile. */
const EVENT_COST = 256

class MappingDestination implements Destination {
  readonly #mapper: Mapper
  readonly #delivery: Delivery
  readonly #counts = { delivered: 0, spilled: 0, failed: 0, unmapped: 0, off: 0, dropped: 0 }

  constructor(mapper: Mapper, delivery: Delivery) {
    this.#mapper = mapper
    this.#delivery = delivery
  }

  async deliver(events: readonly SegmentEvent[], holder = NO_HOLDER): Promise<EventOutcome[]> {
    const mapped = turns.run(this.#map(events, holder), events.length * EVENT_COST)
    const mappings = mapped instanceof Promise ? await mapped : mapped
    if (mappings instanceof FirehoseError) return this.#refuse(events, mappings)
    const outcomes = await holder.handOver(() => this.#deliver(mappings))
    if (outcomes instanceof FirehoseError) return this.#refuse(events, outcomes)
    let next = 0
    return mappings.map((mapping) => {
      const outcome = eventOutcome(mapping, outcomes, next)
      next += mapping.records.length
      this.#counts[outcome.status]++
      return outcome
    })
  }

  /** Stops where memory does, not when all is mapped: streams and shared contexts make many bytes of few. */
  *#map(events: readonly SegmentEvent[], { held }: MemoryHolder): Slices<Mapping[] | FirehoseError> {
    const mappings: Mapping[] = []
    let bytes = 0
    let cost = 0
    for (const event of events) {
      if (cost > SLICE_BYTES) {
        cost = 0
        yield
      }
      const mapping = this.#mapper.explain(event)
      mappings.push(mapping)
      const size = bytesOf(mapping)
      bytes += size
      cost += size + EVENT_COST
      // A record too large for Firehose fails as that, though it be too large for the memory as well.
      if (events.length > 1 && !this.#delivery.hasRoomFor(bytes - held)) {
        return noRoomFor(bytes, this.#delivery)
      }
    }
    return mappings
  }

  #deliver(mappings: readonly Mapping[]): Promise<RecordOutcome[]> | FirehoseError {
    const bytes = mappings.reduce((sum, mapping) => sum + bytesOf(mapping), 0)
    // Meanwhile others may have taken what was free.
    if (mappings.length > 1 && !this.#delivery.hasRoomFor(bytes)) return noRoomFor(bytes, this.#delivery)
    return this.#delivery.deliver(recordsOf(mappings))
  }

  #refuse(events: readonly SegmentEvent[], error: FirehoseError): EventOutcome[] {
    this.#counts.failed += events.length
    return events.map(() => ({ status: 'failed', failures: [{ stream: undefined, error }] }))
  }

  isParked(): boolean {
    const { streams } = this.#mapper
    return streams.length > 0 && streams.every((stream) => !this.#delivery.takes(stream))
  }

  flush(): Promise<void> {
    return this.#delivery.flush()
  }

  close(options?: CloseOptions): Promise<Readonly<Record<string, StreamReport>>> {
    return this.#delivery.close(options)
  }

  stats(): DestinationStats {
    return { ...this.#counts, streams: this.#delivery.stats() }
  }
}

/** Why events that come to so many bytes, at the least, are not taken: sent again for ever they would do no better where they never fit. */
function noRoomFor(bytes: number, { capacity }: Delivery): FirehoseError {
  if (bytes > capacity) {
    const message = `The events of this batch take more than ${capacity} bytes at once, all that maxBufferedBytes leaves to them; send smaller batches or raise it`
    return new FirehoseError('ERR_BATCH_TOO_LARGE', message)
  }
  const message =
    'The events do not fit under maxBufferedBytes now; send more slowly, fewer at once, or raise it'
  return new FirehoseError('ERR_BUFFER_FULL', message)
}

/** What delivery will count of an event; one whose records are too large is held until it is refused. */
function bytesOf({ records }: Mapping): number {
  const [first] = records
  if (first === undefined) return 0
  const size = heldBytes(first.data)
  return size > MAX_RECORD_BYTES ? size : size * records.length
}

/** A loop: `flatMap` costs more than the mapping does. */
function recordsOf(mappings: readonly Mapping[]): MappedRecord[] {
  const all: MappedRecord[] = []
  for (const { records } of mappings) for (const record of records) all.push(record)
  return all
}

/** @param first - where the event's outcomes begin */
function eventOutcome(
  { verdict, records }: Mapping,
  outcomes: readonly RecordOutcome[],
  first: number,
): EventOutcome {
  if (verdict !== 'mapped') return { status: verdict }
  const failures: DeliveryFailure[] = []
  let status: 'delivered' | 'spilled' = 'delivered'
  records.forEach(({ stream }, i) => {
    const outcome = outcomes[first + i]
    if (outcome?.status === 'spilled') status = 'spilled'
    if (outcome?.status === 'failed')
      failures.push({ stream: stream === UNROUTED ? undefined : stream, error: outcome.error })
  })
  return failures.length > 0 ? { status: 'failed', failures } : { status }
}
