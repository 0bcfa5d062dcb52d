/** The bytes of `{"Data":""},` around each record of a batch. */
const BYTES_AROUND = 12

const BATCH_END = ']}'
const RECORD_END = '"}}'

/**
 * A PutRecordBatch body as the SDK writes it. Each has a buffer of its own: one that is used again has shown no gain,
 * and a request that goes on after its call has ended would send another call's data.
 */
export function batchBody(stream: string, records: readonly Uint8Array[]): Buffer {
  const head = `{"DeliveryStreamName":${JSON.stringify(stream)},"Records":[`
  let size = Buffer.byteLength(head) + BATCH_END.length
  for (const record of records) size += base64Length(record) + BYTES_AROUND
  const body = Buffer.allocUnsafe(size)
  let at = body.write(head)
  let before = '{"Data":"'
  for (const record of records) {
    at += body.write(before, at, 'latin1')
    at += writeBase64(body, record, at)
    before = '"},{"Data":"'
  }
  at += body.write(records.length > 0 ? `"}${BATCH_END}` : BATCH_END, at, 'latin1')
  return body.subarray(0, at)
}

/** A PutRecord body; see {@link batchBody}. */
export function recordBody(stream: string, record: Uint8Array): Buffer {
  const head = `{"DeliveryStreamName":${JSON.stringify(stream)},"Record":{"Data":"`
  const body = Buffer.allocUnsafe(Buffer.byteLength(head) + base64Length(record) + RECORD_END.length)
  let at = body.write(head)
  at += writeBase64(body, record, at)
  at += body.write(RECORD_END, at, 'latin1')
  return body.subarray(0, at)
}

function base64Length({ length }: Uint8Array): number {
  return Math.ceil(length / 3) * 4
}

/** By way of a string: Node.js has no call that writes base64 from one buffer into another. */
function writeBase64(body: Buffer, data: Uint8Array, at: number): number {
  return body.write(bufferOf(data).toString('base64'), at, 'latin1')
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
