import {
  CreateDeliveryStreamCommand,
  PutRecordBatchCommand,
  PutRecordCommand,
} from '@aws-sdk/client-firehose'
import { afterEach, describe, expect, test } from '@jest/globals'
import type { AcceptedRecord } from '../../../server/local-aws/index.js'
import { bytes, start, stopAll } from './harness.js'

afterEach(stopAll)

const put = (stream: string, data: Uint8Array) =>
  new PutRecordCommand({ DeliveryStreamName: stream, Record: { Data: data } })
const putBatch = (stream: string, records: readonly Uint8Array[]) =>
  new PutRecordBatchCommand({
    DeliveryStreamName: stream,
    Records: records.map((data) => ({ Data: data })),
  })

describe('PutRecord', () => {
  test('answers with a RecordId and stores the bytes as sent', async () => {
    const { aws, firehose, assumeRole, read } = await start()
    const client = firehose(await assumeRole())
    const data = new Uint8Array([0xff, 0x00, 0xc3, 0x0a])
    const { RecordId, Encrypted } = await client.send(put('s', data))
    expect(RecordId).toHaveLength(224)
    expect(Encrypted).toBe(false)
    await aws.flush()
    expect(await read('s')).toEqual(Buffer.from(data))
  })

  test('takes a record of 1,024,000 bytes and none larger', async () => {
    const { firehose } = await start()
    await firehose().send(put('s', Buffer.alloc(1_024_000)))
    await expect(firehose().send(put('s', Buffer.alloc(1_024_001)))).rejects.toMatchObject({
      name: 'ValidationException',
      message:
        "1 validation error detected: Value 'java.nio.HeapByteBuffer[pos=0 lim=1024001 cap=1024001]' at 'record.data' failed to satisfy constraint: Member must have length less than or equal to 1024000",
    })
  })

  test('refuses a stream name that AWS would', async () => {
    const { firehose } = await start()
    await expect(firehose().send(put('my stream', bytes('x')))).rejects.toMatchObject({
      name: 'ValidationException',
      message:
        "1 validation error detected: Value 'my stream' at 'deliveryStreamName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+",
      $metadata: { httpStatusCode: 400 },
    })
    await expect(firehose().send(put('s'.repeat(65), bytes('x')))).rejects.toThrow(
      'Member must have length less than or equal to 64',
    )
  })

  test('does not know a stream nobody has made, unless streams make themselves', async () => {
    const { aws, firehose } = await start({ autoCreateStreams: false, streams: ['here'] })
    await firehose().send(put('here', bytes('x')))
    await expect(firehose().send(put('there', bytes('x')))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: 'Firehose there under account 123456789012 not found.',
      $metadata: { httpStatusCode: 400 },
    })
    aws.createStream('there')
    await firehose().send(put('there', bytes('x')))
    aws.deleteStream('there')
    await expect(firehose().send(put('there', bytes('x')))).rejects.toThrow('not found')
  })
})

describe('PutRecordBatch', () => {
  test('stores the records in order, each with an id of its own', async () => {
    const { aws, firehose, read } = await start()
    const client = firehose()
    await client.send(new CreateDeliveryStreamCommand({ DeliveryStreamName: 's' }))
    const batch = putBatch('s', ['a', 'b', '', 'c'].map(bytes))
    const { FailedPutCount, RequestResponses } = await client.send(batch)
    expect(FailedPutCount).toBe(0)
    expect(new Set(RequestResponses?.map((response) => response.RecordId)).size).toBe(4)
    await aws.flush()
    expect((await read('s')).toString()).toBe('abc')
    expect(aws.stats()).toEqual({ calls: { CreateDeliveryStream: 1, PutRecordBatch: 1 }, records: { s: 4 } })
  })

  test('takes 500 records and no more, and not none', async () => {
    const { aws, firehose } = await start()
    const records = Array.from({ length: 500 }, () => bytes('x'))
    const { RequestResponses } = await firehose().send(putBatch('s', records))
    expect(RequestResponses).toHaveLength(500)
    await expect(firehose().send(putBatch('s', [...records, bytes('x')]))).rejects.toThrow(
      "at 'records' failed to satisfy constraint: Member must have length less than or equal to 500",
    )
    await expect(firehose().send(putBatch('s', []))).rejects.toThrow(
      "Value '[]' at 'records' failed to satisfy constraint: Member must have length greater than or equal to 1",
    )
    expect(aws.stats().records).toEqual({ s: 500 })
  })

  test('takes 4 MiB of records, counted before base64, and no byte more', async () => {
    const { firehose } = await start()
    const full = [...Array.from({ length: 4 }, () => Buffer.alloc(1_024_000)), Buffer.alloc(98_304)]
    await firehose().send(putBatch('s', full))
    await expect(firehose().send(putBatch('s', [...full, bytes('x')]))).rejects.toMatchObject({
      name: 'InvalidArgumentException',
      message: 'Records size exceeds 4 MB limit',
    })
  })

  test('names the record that is too large, and stores none of its call', async () => {
    const { aws, firehose } = await start()
    const records = [bytes('x'), Buffer.alloc(1_024_001)]
    await expect(firehose().send(putBatch('s', records))).rejects.toThrow("at 'records.2.member.data'")
    expect(aws.stats().records).toEqual({})
  })

  test('tells the hook of each record, with the id that the client was given', async () => {
    const seen: AcceptedRecord[] = []
    const { firehose } = await start({ onRecord: (record) => seen.push(record) })
    const { RequestResponses } = await firehose().send(putBatch('s', [bytes('a'), bytes('b')]))
    expect(seen.map(({ stream, data }) => [stream, data.toString()])).toEqual([
      ['s', 'a'],
      ['s', 'b'],
    ])
    expect(seen.map((record) => record.recordId)).toEqual(RequestResponses?.map((r) => r.RecordId))
  })
})

describe('quotas', () => {
  const names = (responses: { ErrorCode?: string | undefined }[] | undefined) =>
    responses?.map((response) => response.ErrorCode ?? 'ok')

  test('of records fail those beyond it, until the second is over', async () => {
    let now = Date.now()
    const { aws, firehose, read } = await start({ quotas: { recordsPerSecond: 2 }, now: () => now })
    const batch = putBatch('s', ['a', 'b', 'c'].map(bytes))
    const first = await firehose().send(batch)
    expect(first.FailedPutCount).toBe(1)
    expect(names(first.RequestResponses)).toEqual(['ok', 'ok', 'ServiceUnavailableException'])
    expect(first.RequestResponses?.[2]?.ErrorMessage).toBe('Slow down.')
    expect((await firehose().send(putBatch('other', [bytes('z')]))).FailedPutCount).toBe(0)
    now += 500
    expect((await firehose().send(batch)).FailedPutCount).toBe(2)
    await aws.flush()
    expect((await read('s')).toString()).toBe('aba')
  })

  test('of bytes pass over a record that does not fit', async () => {
    const now = Date.now()
    const { firehose } = await start({ quotas: { bytesPerSecond: 10 }, now: () => now })
    const { RequestResponses } = await firehose().send(
      putBatch('s', ['12345678', '12345678', '12'].map(bytes)),
    )
    expect(names(RequestResponses)).toEqual(['ok', 'ServiceUnavailableException', 'ok'])
  })

  test('of requests refuse the call', async () => {
    const now = Date.now()
    const { calls, firehose } = await start({ quotas: { requestsPerSecond: 1 }, now: () => now })
    await firehose().send(put('s', bytes('x')))
    await expect(firehose().send(put('s', bytes('x')))).rejects.toMatchObject({
      name: 'ServiceUnavailableException',
      message: 'Slow down.',
      $metadata: { httpStatusCode: 503 },
    })
    expect(calls.map((call) => call.status)).toEqual([200, 503])
  })
})
