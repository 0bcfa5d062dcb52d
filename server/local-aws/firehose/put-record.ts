import { Validation } from '../validation.js'
import { MAX_RECORD_BYTES, recordError, streamForPut, takeRecords } from './intake.js'
import { type FirehoseOperation, STREAM_NAME } from './operation.js'

/** https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecord.html */
export const putRecord: FirehoseOperation = (state, call) => {
  const name = call.input.text('DeliveryStreamName')
  const record = call.input.structure('Record')
  const data = record?.blob('Data')
  const validation = new Validation().text('deliveryStreamName', name, STREAM_NAME)
  if (record === undefined) validation.list('record', undefined, { required: true })
  else validation.blob('record.data', data, MAX_RECORD_BYTES)
  validation.finish('ValidationException')

  const stream = streamForPut(state, name ?? '', call)
  const [result] = takeRecords(state, stream, [data ?? Buffer.alloc(0)], call)
  if (result === undefined || 'code' in result) {
    throw recordError(result ?? { code: 'InternalFailure', message: 'no result' })
  }
  const Encrypted = stream.encryption !== undefined
  return { output: { Encrypted, RecordId: result.recordId }, records: 1, failedRecords: 0 }
}
