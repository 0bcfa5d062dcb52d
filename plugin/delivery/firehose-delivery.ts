import type { Put } from '../aws/put.js'
import { allowStreams, streamArn } from '../aws/stream-policy.js'
import type { Clock } from '../clock.js'
import { FirehoseError } from '../errors.js'
import { MAX_RECORD_BYTES, MAX_RECORD_DOCUMENTS } from '../limits.js'
import { guarded } from '../logger.js'
import type { MappedRecord } from '../mapper.js'
import type { DestinationConfiguration } from '../settings/configuration.js'
import type { BatchLimits } from './batch.js'
import type { ByteBudget } from './byte-budget.js'
import type { CloseOptions, Delivery } from './delivery.js'
import { Entry } from './entry.js'
import { bufferFull, recordTooLarge } from './failures.js'
import { BATCH_CALLS } from './flow-control.js'
import { heldBytes } from './held-bytes.js'
import { Notices } from './notices.js'
import type { RecordOutcome } from './outcome.js'
import { Shipment } from './shipment.js'
import { type DeliverySpill, Spilling } from './spilling.js'
import type { StreamReport, StreamStats } from './stats.js'
import { Target } from './target.js'

/** How long a record from the spill is tried: nobody waits for it, and a call that is cut makes a duplicate. */
const SPILLED_TIMEOUT_MS = 30_000

/** What stands behind a delivery; tests put their own in place. */
export interface DeliveryParts {
  readonly put: Put
  readonly budget: ByteBudget
  readonly clock: Clock
  /** Where records go that cannot be delivered in time. @default nowhere: they fail */
  readonly spill?: DeliverySpill | undefined
  /** Whose streams they are, asked at each notice that the log is told: it may be renamed. @default not told */
  readonly owner?: (() => string) | undefined
  /** Runs when all is closed. */
  readonly release?: () => Promise<void>
}

/** One destination's streams, each with a target of its own, and what waits to be settled. */
export class FirehoseDelivery implements Delivery {
  readonly #configuration: DestinationConfiguration
  readonly #parts: DeliveryParts
  readonly #targets = new Map<string, Target>()
  readonly #open = new Set<Shipment>()
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
        owner: parts.owner,
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
    const enqueuedAt = clock.now()
    const { deliveryTimeout } = this.#configuration
    const deadline =
      enqueuedAt + (isFromSpill ? Math.max(deliveryTimeout, SPILLED_TIMEOUT_MS) : deliveryTimeout)
    const { length: size } = records
    const shipment = new Shipment({
      size,
      enqueuedAt,
      deadline,
      budget,
      isFromSpill,
      onSettled: this.#onSettled,
    })
    // Keeps the process alive: one that just ends would drop in silence what waits for its next try.
    this.#letGo ??= clock.hold()
    this.#open.add(shipment)
    records.forEach((record, index) => {
      const error = this.#problemOf(record)
      if (error === undefined) {
        this.#target(record.stream).enqueue(new Entry(record.data, shipment, index))
        return
      }
      if (!isFromSpill) this.#targets.get(record.stream)?.countFailed()
      shipment.settle(index, { status: 'failed', error })
    })
    return shipment.outcomes
  }

  readonly #onSettled = (shipment: Shipment) => {
    this.#open.delete(shipment)
    if (this.#open.size > 0) return
    this.#letGo?.()
    this.#letGo = undefined
  }

  get capacity(): number {
    return this.#parts.budget.capacity
  }

  hasRoomFor(bytes: number): boolean {
    return this.#parts.budget.hasRoomFor(bytes)
  }

  takes(stream: string): boolean {
    return !this.#isParked(stream) || (this.#parts.spill?.store.canTake() ?? false)
  }

  #isParked(stream: string): boolean {
    return this.#targets.get(stream)?.circuit === 'open'
  }

  async flush(): Promise<void> {
    for (const target of this.#targets.values()) target.hurry()
    await Promise.all([...this.#open].map(({ outcomes }) => outcomes))
  }

  close({
    timeout = this.#configuration.deliveryTimeout,
  }: CloseOptions = {}): Promise<Readonly<Record<string, StreamReport>>> {
    this.#closing ??= this.#close(timeout)
    const cancel = this.#parts.clock.after(timeout, () => this.#closeTargets(timeout))
    void this.#closing.then(cancel, cancel)
    return this.#closing
  }

  stats(): Readonly<Record<string, StreamStats>> {
    return Object.fromEntries([...this.#targets].map(([stream, target]) => [stream, target.stats()]))
  }

  async #close(timeoutMs: number): Promise<Readonly<Record<string, StreamReport>>> {
    const isDrained = this.#spilling?.stop()
    await this.flush()
    this.#closeTargets(timeoutMs)
    await isDrained
    await this.#parts.release?.()
    const reports = Object.entries(this.stats()).map(([stream, { delivered, spilled, failed }]) => {
      return [stream, { delivered, spilled, failed }] as const
    })
    return Object.fromEntries(reports)
  }

  #closeTargets(timeoutMs: number): void {
    const error = new FirehoseError(
      'ERR_CLOSED',
      `Closed before the record was delivered, after ${timeoutMs} ms; give close() a longer timeout`,
    )
    for (const target of this.#targets.values()) target.close(error)
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
    return budget.take(heldBytes(data)) ? undefined : bufferFull(budget)
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
      notices: new Notices({
        logger: guarded(logger),
        stream,
        owner: this.#parts.owner,
        policyStatement,
        isSpilling: this.#spilling !== undefined,
      }),
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
