/** How the SDK ends the body of a PutRecordBatch call without records, and of a PutRecord call without data. */
const EMPTY_BATCH_END = '"Records":[]}'
const EMPTY_RECORD_END = '"Record":{"Data":""}}'

/** The bytes of `]}` and of `"}}`: what comes after the data. */
const BATCH_TAIL = ']}'
const RECORD_TAIL = '"}}'

/** The bytes of `{"Data":""},` around each record of a batch. */
const BYTES_AROUND = 12

/**
 * A PutRecordBatch body, made of the SDK's own for the same call without records: the stream's name stands in it as
 * the SDK writes it. Each body has a buffer of its own: one that is used again has shown no gain, and a request that
 * goes on after its call has ended would send another call's data.
 *
 * @returns undefined where the SDK's body does not end as it does today
 */
export function fillBatchBody(empty: Uint8Array, records: readonly Uint8Array[]): Buffer | undefined {
  const head = headOf(empty, EMPTY_BATCH_END, BATCH_TAIL)
  if (head === undefined) return undefined
  let size = head.length + BATCH_TAIL.length
  for (const record of records) size += base64Length(record) + BYTES_AROUND
  const body = Buffer.allocUnsafe(size)
  let at = head.copy(body)
  let before = '{"Data":"'
  for (const record of records) {
    at += body.write(before, at, 'latin1')
    at += writeBase64(body, record, at)
    before = '"},{"Data":"'
  }
  if (records.length > 0) at += body.write('"}', at, 'latin1')
  at += body.write(BATCH_TAIL, at, 'latin1')
  return body.subarray(0, at)
}

/** A PutRecord body, made of the SDK's own for a record without data; see {@link fillBatchBody}. */
export function fillRecordBody(empty: Uint8Array, record: Uint8Array): Buffer | undefined {
  const head = headOf(empty, EMPTY_RECORD_END, RECORD_TAIL)
  if (head === undefined) return undefined
  const body = Buffer.allocUnsafe(head.length + base64Length(record) + RECORD_TAIL.length)
  let at = head.copy(body)
  at += writeBase64(body, record, at)
  at += body.write(RECORD_TAIL, at, 'latin1')
  return body.subarray(0, at)
}

function headOf(empty: Uint8Array, end: string, tail: string): Buffer | undefined {
  const bytes = bufferOf(empty)
  if (bytes.toString('latin1', bytes.length - end.length) !== end) return undefined
  return bytes.subarray(0, bytes.length - tail.length)
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
