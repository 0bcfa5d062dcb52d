import type { Caller } from '../caller.js'
import type { RecordFault } from '../faults.js'
import type { Input } from '../input.js'
import type { Output } from '../output.js'
import type { TextConstraint } from '../validation.js'
import type { Streams } from './streams.js'

/** What the operations work on. */
export interface FirehoseState {
  readonly streams: Streams
  readonly output: Output
  readonly autoCreateStreams: boolean
  readonly now: () => number
  /** A record has been taken; called before the answer is sent. */
  readonly onRecord: (record: AcceptedRecord) => void
}

/** A record that has its RecordId. */
export interface AcceptedRecord {
  readonly stream: string
  readonly recordId: string
  /** As sent, decoded from base64. */
  readonly data: Buffer
}

/** A call whose sender is known and allowed to make it. */
export interface FirehoseCall {
  readonly input: Input
  readonly caller: Caller
  readonly region: string
  readonly recordFault: () => RecordFault | undefined
}

interface FirehoseResult {
  readonly output: Readonly<Record<string, unknown>>
  /** Of PutRecord and PutRecordBatch: how many were sent, and how many of these failed. */
  readonly records?: number
  readonly failedRecords?: number
}

export type FirehoseOperation = (state: FirehoseState, call: FirehoseCall) => FirehoseResult

export const STREAM_NAME: TextConstraint = { required: true, min: 1, max: 64, pattern: '[a-zA-Z0-9_.-]+' }
