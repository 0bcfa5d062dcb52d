import { type ClientPool, createClientPool } from '../aws/client-pool.js'
import { createPut, type Put } from '../aws/put.js'
import { allowStreams, streamArn } from '../aws/stream-policy.js'
import { type Clock, systemClock } from '../clock.js'
import { FirehoseError } from '../errors.js'
import { MAX_RECORD_BYTES, MAX_RECORD_DOCUMENTS } from '../limits.js'
import { guarded } from '../logger.js'
import type { MappedRecord } from '../mapper.js'
import { type DestinationConfiguration, parseSettings } from '../settings/configuration.js'
import type { DestinationSettings } from '../settings/settings.js'
import { openSpill } from '../spill/open-spill.js'
import { spillTargets } from '../spill/spill-target.js'
import type { BatchLimits } from './batch.js'
import { ByteBudget } from './byte-budget.js'
import { Entry } from './entry.js'
import { bufferFull, recordTooLarge } from './failures.js'
import { BATCH_CALLS } from './flow-control.js'
import { Notices } from './notices.js'
import type { RecordOutcome } from './outcome.js'
import { Settlement } from './settlement.js'
import { type DeliverySpill, Spilling, type SpillParts } from './spilling.js'
import type { StreamReport, StreamStats } from './stats.js'
import { Target } from './target.js'

/** Options of `close()`. */
export interface CloseOptions {
  /** How long records may still be tried, in ms; what is left then fails. @default `deliveryTimeout` */
  readonly timeout?: number | undefined
}

/** Carries records to Firehose and tells what became of each. Nothing here rejects in operation. */
export interface Delivery {
  /** One outcome for each record, in order, when all are known: within `deliveryTimeout`. Never rejects. */
  deliver(records: readonly MappedRecord[]): Promise<RecordOutcome[]>
  /** Whether so many more bytes fit under `maxBufferedBytes`. */
  hasRoomFor(bytes: number): boolean
  /** Whether a record for the stream can become durable now; without a spill not while the stream is parked. */
  takes(stream: string): boolean
  /** Sends what is queued now; resolves when all of it is settled. */
  flush(): Promise<void>
  /** Takes nothing more in, sends the rest, and reports by stream. */
  close(options?: CloseOptions): Promise<Readonly<Record<string, StreamReport>>>
  /** By stream, for those that a record was taken in for. */
  stats(): Readonly<Record<string, StreamStats>>
}

/** Options of {@link createDelivery}. */
export interface DeliveryOptions {
  /** Of the destination; `mappedStreams` is checked but not used: records name their streams. */
  readonly settings: DestinationSettings
  /** Share one among deliveries. @default one of its own, closed with it */
  readonly pool?: ClientPool | undefined
}

/** What stands behind a delivery; tests put their own in place. */
export interface DeliveryParts {
  readonly put: Put
  readonly budget: ByteBudget
  readonly clock: Clock
  /** Where records go that cannot be delivered in time. @default nowhere: they fail */
  readonly spill?: DeliverySpill | undefined
  /** Runs when all is closed. */
  readonly release?: () => Promise<void>
}

/**
 * Makes a delivery: for each stream a queue, a limit on calls, a backoff and a circuit of its own.
 *
 * @throws FirehoseError `ERR_SETTINGS`
 *
 * @example
 * const delivery = createDelivery({ settings })
 * const [outcome] = await delivery.deliver([{ stream: 'new_users', data: Buffer.from('{}\n') }])
 * if (outcome.status === 'delivered') console.log(outcome.recordId)
 * await delivery.close()
 */
export function createDelivery({ settings, pool }: DeliveryOptions): Delivery {
  const configuration = parseSettings(settings)
  const { spill: kept, logger } = configuration
  const spill = kept && openSpill({ configuration: kept, clock: systemClock, logger: guarded(logger) })
  const own = pool === undefined ? createClientPool() : undefined
  const release = async () => {
    await spill?.close()
    own?.close()
  }
  return deliveryOf(configuration, { pool: pool ?? (own as ClientPool), spill, release })
}

/** {@link createDelivery} for settings already parsed. */
export function deliveryOf(
  configuration: DestinationConfiguration,
  parts: {
    pool: ClientPool
    budget?: ByteBudget | undefined
    clock?: Clock | undefined
    spill?: SpillParts | undefined
    release?: () => Promise<void>
  },
): Delivery {
  const {
    pool,
    clock = systemClock,
    budget = new ByteBudget(configuration.maxBufferedBytes),
    spill,
    release,
  } = parts
  const { requestTimeout, externalId } = configuration
  const put = createPut({ client: () => pool.get(configuration), requestTimeout, externalId, clock })
  return new FirehoseDelivery(configuration, {
    put,
    budget,
    clock,
    spill: spill && { ...spill, targetOf: spillTargets(configuration) },
    ...(release && { release }),
  })
}

export class FirehoseDelivery implements Delivery {
  readonly #configuration: DestinationConfiguration
  readonly #parts: DeliveryParts
  readonly #targets = new Map<string, Target>()
  readonly #open = new Set<Promise<unknown>>()
  #letGo: (() => void) | undefined
  #closing: Promise<Readonly<Record<string, StreamReport>>> | undefined
  readonly #spilling: Spilling | undefined

  constructor(configuration: DestinationConfiguration, parts: DeliveryParts) {
    this.#configuration = configuration
    this.#parts = parts
    this.#spilling =
      parts.spill &&
      new Spilling({
        ...parts.spill,
        clock: parts.clock,
        logger: guarded(configuration.logger),
        lanes: configuration.concurrency ?? BATCH_CALLS,
        batch: configuration.flushAt,
        deliver: (records) => this.#deliver(records, true),
        isParked: (stream) => this.#isParked(stream),
      })
  }

  deliver(records: readonly MappedRecord[]): Promise<RecordOutcome[]> {
    return this.#deliver(records, false)
  }

  #deliver(records: readonly MappedRecord[], isFromSpill: boolean): Promise<RecordOutcome[]> {
    if (records.length === 0) return Promise.resolve([])
    const { budget, clock } = this.#parts
    const settlement = new Settlement(records.length)
    const enqueuedAt = clock.now()
    const deadline = enqueuedAt + this.#configuration.deliveryTimeout
    this.#watch(settlement.promise)

    records.forEach((record, index) => {
      const error = this.#problemOf(record)
      if (error !== undefined) {
        if (!isFromSpill) this.#targets.get(record.stream)?.countFailed()
        settlement.settle(index, { status: 'failed', error })
        return
      }
      const { data, stream } = record
      this.#target(stream).enqueue(
        new Entry({ data, settlement, index, enqueuedAt, deadline, budget, isFromSpill }),
      )
    })
    return settlement.promise
  }

  /** Keeps the process alive: one that just ends would drop in silence what waits for its next try. */
  #watch(settled: Promise<unknown>): void {
    this.#letGo ??= this.#parts.clock.hold()
    this.#open.add(settled)
    void settled.then(() => {
      this.#open.delete(settled)
      if (this.#open.size > 0) return
      this.#letGo?.()
      this.#letGo = undefined
    })
  }

  hasRoomFor(bytes: number): boolean {
    return this.#parts.budget.hasRoomFor(bytes)
  }

  takes(stream: string): boolean {
    return this.#spilling !== undefined || !this.#isParked(stream)
  }

  #isParked(stream: string): boolean {
    return this.#targets.get(stream)?.circuit === 'open'
  }

  async flush(): Promise<void> {
    for (const target of this.#targets.values()) target.hurry()
    await Promise.all(this.#open)
  }

  close({ timeout }: CloseOptions = {}): Promise<Readonly<Record<string, StreamReport>>> {
    this.#closing ??= this.#close(timeout ?? this.#configuration.deliveryTimeout)
    return this.#closing
  }

  stats(): Readonly<Record<string, StreamStats>> {
    return Object.fromEntries([...this.#targets].map(([stream, target]) => [stream, target.stats()]))
  }

  async #close(timeoutMs: number): Promise<Readonly<Record<string, StreamReport>>> {
    const error = new FirehoseError(
      'ERR_CLOSED',
      `Closed before the record was delivered, after ${timeoutMs} ms; give close() a longer timeout`,
    )
    const closeTargets = () => {
      for (const target of this.#targets.values()) target.close(error)
    }
    const cancel = this.#parts.clock.after(timeoutMs, closeTargets)
    const isDrained = this.#spilling?.stop()
    await this.flush()
    cancel()
    closeTargets()
    await isDrained
    await this.#parts.release?.()
    const reports = Object.entries(this.stats()).map(([stream, { delivered, spilled, failed }]) => {
      return [stream, { delivered, spilled, failed }] as const
    })
    return Object.fromEntries(reports)
  }

  /** Why the record cannot be taken; otherwise its bytes have been taken from the budget. */
  #problemOf({ data, error, stream }: MappedRecord): FirehoseError | undefined {
    if (error !== undefined) return error
    if (this.#closing !== undefined) {
      return new FirehoseError('ERR_CLOSED', 'The delivery is closed; send events before close()')
    }
    const bytes = data.byteLength
    if (bytes > MAX_RECORD_BYTES) return recordTooLarge(stream, bytes)
    const { budget } = this.#parts
    return budget.take(bytes) ? undefined : bufferFull(budget)
  }

  #target(stream: string): Target {
    const known = this.#targets.get(stream)
    if (known !== undefined) return known
    const { region, roleAddress, logger } = this.#configuration
    const policyStatement = JSON.stringify(allowStreams([streamArn(stream, region, roleAddress)]))
    const target = new Target({
      ...this.#configuration,
      stream,
      put: this.#parts.put,
      clock: this.#parts.clock,
      limits: this.#limits(stream),
      notices: new Notices(guarded(logger), stream, policyStatement, this.#spilling !== undefined),
      spill: this.#spilling && ((records) => this.#spilling?.append(stream, records) ?? Promise.resolve()),
      onProgress: () => this.#spilling?.drain(stream),
    })
    this.#targets.set(stream, target)
    return target
  }

  #limits(stream: string): BatchLimits {
    const { aggregation, aggregateBytes, flushAt, flushBytes } = this.#configuration
    const mode = Object.hasOwn(aggregation, stream) ? aggregation[stream] : aggregation['*']
    const joined = { documents: MAX_RECORD_DOCUMENTS, documentBytes: aggregateBytes }
    const apart = { documents: 1, documentBytes: 0 }
    return { records: flushAt, bytes: flushBytes, ...(mode === 'ndjson' ? joined : apart) }
  }
}
