import { AwsError } from '../aws-error.js'
import type { Input } from '../input.js'
import { Validation } from '../validation.js'
import { MAX_RECORD_BYTES, streamForPut, takeRecords } from './intake.js'
import { type FirehoseOperation, STREAM_NAME } from './operation.js'

const MAX_RECORDS = 500

/** Of all records together, before base64. */
const MAX_CALL_BYTES = 4 * 1024 * 1024

/** https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html */
export const putRecordBatch: FirehoseOperation = (state, call) => {
  const name = call.input.text('DeliveryStreamName')
  const records = validRecords(name, call.input.structures('Records'))
  const stream = streamForPut(state, name ?? '', call)
  const results = takeRecords(state, stream, records, call)
  const failedRecords = results.filter((result) => 'code' in result).length
  return {
    output: {
      Encrypted: stream.encryption !== undefined,
      FailedPutCount: failedRecords,
      RequestResponses: results.map((result) =>
        'code' in result
          ? { ErrorCode: result.code, ErrorMessage: result.message }
          : { RecordId: result.recordId },
      ),
    },
    records: records.length,
    failedRecords,
  }
}

function validRecords(name: string | undefined, entries: readonly Input[] | undefined): Buffer[] {
  const records = (entries ?? []).map((entry) => entry.blob('Data'))
  const validation = new Validation()
    .text('deliveryStreamName', name, STREAM_NAME)
    .list('records', entries?.length, { required: true, min: 1, max: MAX_RECORDS })
  // Counted from 1, as AWS does.
  for (const [index, data] of records.entries()) {
    validation.blob(`records.${index + 1}.member.data`, data, MAX_RECORD_BYTES)
  }
  validation.finish('ValidationException')

  const present = records.filter((data) => data !== undefined)
  if (present.reduce((bytes, data) => bytes + data.length, 0) > MAX_CALL_BYTES) {
    throw new AwsError('InvalidArgumentException', 400, 'Records size exceeds 4 MB limit')
  }
  return present
}
