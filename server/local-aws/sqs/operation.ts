import type { Caller } from '../caller.js'
import type { RecordFault } from '../faults.js'
import type { Input } from '../input.js'
import type { Queues } from './queues.js'

/** What the operations work on. */
export interface SqsState {
  readonly queues: Queues
  /** Aborted when the endpoint closes; ends long polls. */
  readonly closing: AbortSignal
}

/** A call whose sender is known and allowed to make it. */
export interface SqsCall {
  readonly input: Input
  readonly caller: Caller
  readonly region: string
  /** `http://host:port`, as the client knows it. */
  readonly origin: string
  /** The request's `X-Amzn-Trace-Id`. */
  readonly traceHeader?: string | undefined
  readonly recordFault: () => RecordFault | undefined
}

export interface SqsResult {
  readonly output: Readonly<Record<string, unknown>>
  /** Of batches: how many entries were sent, and how many of these failed. */
  readonly records?: number
  readonly failedRecords?: number
}

export type SqsOperation = (state: SqsState, call: SqsCall) => SqsResult | Promise<SqsResult>
