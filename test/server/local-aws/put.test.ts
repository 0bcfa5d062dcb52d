import {
  CreateDeliveryStreamCommand,
  PutRecordBatchCommand,
  PutRecordCommand,
} from '@aws-sdk/client-firehose'
import { afterEach, describe, expect, test } from '@jest/globals'
import { bytes, start, stopAll } from './harness.js'

afterEach(stopAll)

const put = (stream: string, text: string) =>
  new PutRecordCommand({ DeliveryStreamName: stream, Record: { Data: bytes(text) } })
const putBatch = (stream: string, texts: readonly string[]) =>
  new PutRecordBatchCommand({
    DeliveryStreamName: stream,
    Records: texts.map((text) => ({ Data: bytes(text) })),
  })

describe('PutRecord', () => {
  test('answers with a RecordId and stores the bytes as sent', async () => {
    const { aws, firehose, assumeRole, read } = await start()
    const client = firehose(await assumeRole())
    const { RecordId, Encrypted } = await client.send(put('s', 'één\n'))
    expect(RecordId).toHaveLength(224)
    expect(Encrypted).toBe(false)
    await aws.flush()
    expect((await read('s')).toString()).toBe('één\n')
  })
})

describe('PutRecordBatch', () => {
  test('stores the records in order, each with an id of its own', async () => {
    const { aws, firehose, read } = await start()
    const client = firehose()
    await client.send(new CreateDeliveryStreamCommand({ DeliveryStreamName: 's' }))
    const { FailedPutCount, RequestResponses } = await client.send(putBatch('s', ['a', 'b', '', 'c']))
    expect(FailedPutCount).toBe(0)
    expect(new Set(RequestResponses?.map((response) => response.RecordId)).size).toBe(4)
    await aws.flush()
    expect((await read('s')).toString()).toBe('abc')
    expect(aws.stats()).toEqual({ calls: { CreateDeliveryStream: 1, PutRecordBatch: 1 }, records: { s: 4 } })
  })
})
