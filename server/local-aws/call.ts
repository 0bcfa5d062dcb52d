import type { Fault } from './fault.js'

/** A call that has been answered, or given up on. */
export interface LocalAwsCall {
  /** `PutRecordBatch`, `AssumeRole`, … or `Unknown` */
  readonly action: string
  /** Epoch ms of its arrival, by `now`. */
  readonly at: number
  /** The role whose credentials made the call; for AssumeRole the role asked for. */
  readonly roleArn?: string
  readonly externalId?: string
  readonly stream?: string
  readonly queue?: string
  readonly bucket?: string
  /** How many records, or entries of an SQS batch, were sent. */
  readonly records?: number
  /** How many of these were refused. */
  readonly failedRecords?: number
  /** The HTTP status; 0 where no answer was sent. */
  readonly status: number
  readonly errorCode?: string
  /** The fault that decided about the call. */
  readonly fault?: Fault['kind']
}

/** Counts since the start. */
export interface LocalAwsStats {
  /** Calls by action, refused ones too. */
  readonly calls: Readonly<Record<string, number>>
  /** Records that got a RecordId, by stream. */
  readonly records: Readonly<Record<string, number>>
}
