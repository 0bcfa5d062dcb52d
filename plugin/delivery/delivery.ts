import type { MappedRecord } from '../mapper.js'
import type { RecordOutcome } from './outcome.js'
import type { StreamReport, StreamStats } from './stats.js'

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
  /** Bytes that fit where nothing else waits: `maxBufferedBytes`, or this delivery's share of it. */
  readonly capacity: number
  /** Whether a record for the stream can become durable now; while the stream is parked only in a spill. */
  takes(stream: string): boolean
  /** Sends what is queued now; resolves when all of it is settled. */
  flush(): Promise<void>
  /** Takes nothing more in, sends the rest, and reports by stream. Asked again, it keeps to the earliest end. */
  close(options?: CloseOptions): Promise<Readonly<Record<string, StreamReport>>>
  /** By stream, for those that a record was taken in for. */
  stats(): Readonly<Record<string, StreamStats>>
}
