import type { Api } from '../aws/put.js'
import type { CircuitState } from './circuit.js'

/** Counts since the start for one stream, and how it stands now. */
export interface StreamStats {
  /** Records that have their RecordId. */
  readonly delivered: number
  /** Records that went to the spill, to be sent from there. */
  readonly spilled: number
  /** Records that failed for good. */
  readonly failed: number
  /** Records sent again because Firehose did not take them before. */
  readonly resent: number
  /** Calls made. */
  readonly calls: number
  /** Records waiting or under way. */
  readonly queued: number
  /** Their bytes. */
  readonly queuedBytes: number
  /** Calls that wait for their answer. */
  readonly callsInFlight: number
  /** The call in use: PutRecord where the role allows nothing else. */
  readonly api: Api
  /** `open`: the stream is parked after an error that someone has to mend; records fail at once. */
  readonly circuit: CircuitState
}

/** What `close()` reports of one stream. */
export type StreamReport = Pick<StreamStats, 'delivered' | 'spilled' | 'failed'>
