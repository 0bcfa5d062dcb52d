import { randomBytes } from 'node:crypto'
import { AwsError } from '../aws-error.js'
import type { RecordFault } from '../faults.js'
import type { FirehoseCall, FirehoseState } from './operation.js'
import type { DeliveryStream } from './streams.js'

/** Largest record, in bytes before base64. */
export const MAX_RECORD_BYTES = 1_024_000

/** What became of one record. */
export type RecordResult = { readonly recordId: string } | RecordFault

const SLOW_DOWN: RecordFault = { code: 'ServiceUnavailableException', message: 'Slow down.' }

/** Real RecordIds are 224 characters: base64 of this many bytes. */
const RECORD_ID_BYTES = 168

/** The stream of a put, made on the spot where that is wanted. @throws AwsError ResourceNotFoundException */
export function streamForPut(
  { streams, autoCreateStreams }: FirehoseState,
  name: string,
  { caller, region }: FirehoseCall,
): DeliveryStream {
  const place = { accountId: caller.accountId, region }
  if (autoCreateStreams && !streams.has(name, region)) return streams.create({ name }, place)
  return streams.get(name, place)
}

/**
 * Takes each record on its own, as Firehose does: some may fail while their neighbours are stored.
 * @throws AwsError ServiceUnavailableException where the stream may take no further call now
 */
export function takeRecords(
  state: FirehoseState,
  stream: DeliveryStream,
  records: readonly Buffer[],
  call: FirehoseCall,
): RecordResult[] {
  if (!stream.quota.takeRequest(state.now())) throw recordError(SLOW_DOWN)
  const room = state.output.hasRoomFor(records.reduce((bytes, data) => bytes + data.length, 0))
  const ids = randomBytes(RECORD_ID_BYTES * records.length)
  return records.map((data, index) => {
    const fault = call.recordFault()
    if (fault !== undefined) return fault
    if (!room || !stream.quota.takeRecord(data.length, state.now())) return SLOW_DOWN
    const recordId = ids.toString('base64', index * RECORD_ID_BYTES, (index + 1) * RECORD_ID_BYTES)
    state.output.append(stream, data)
    state.onRecord({ stream: stream.name, recordId, data })
    return { recordId }
  })
}

/** A record's failure as that of a whole call, which is how PutRecord tells it. */
export function recordError({ code, message }: RecordFault): AwsError {
  return new AwsError(code, code === 'InternalFailure' ? 500 : 503, message)
}
