import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, describe, expect, test } from '@jest/globals'
import { raw, start, stopAll, target } from './harness.js'

afterEach(stopAll)

describe('a request of wrong form', () => {
  test.each<[string, string, string, string]>([
    ['cut JSON', 'PutRecord', '{"DeliveryStreamName":', 'SerializationException'],
    ['a list', 'PutRecord', '[]', 'SerializationException'],
    ['null', 'PutRecord', 'null', 'SerializationException'],
    ['bytes', 'PutRecord', '\u0000\uFFFD', 'SerializationException'],
    ['nothing', 'PutRecord', '', 'ValidationException'],
    ['a number for a name', 'PutRecord', '{"DeliveryStreamName":1}', 'SerializationException'],
    ['a name for a record', 'PutRecord', '{"DeliveryStreamName":"s","Record":"x"}', 'SerializationException'],
    ['no data', 'PutRecord', '{"DeliveryStreamName":"s","Record":{}}', 'ValidationException'],
    ['data that is a list', 'PutRecord', record('[]'), 'SerializationException'],
    ['base64 of wrong length', 'PutRecord', record('"abc"'), 'SerializationException'],
    ['base64 with a stranger', 'PutRecord', record('"ab-_"'), 'SerializationException'],
    ['text that is no base64', 'PutRecord', record('"hello, world"'), 'SerializationException'],
    [
      'records that are none',
      'PutRecordBatch',
      '{"DeliveryStreamName":"s","Records":{}}',
      'SerializationException',
    ],
    [
      'a record that is null',
      'PutRecordBatch',
      '{"DeliveryStreamName":"s","Records":[null]}',
      'SerializationException',
    ],
    [
      'a record without data',
      'PutRecordBatch',
      '{"DeliveryStreamName":"s","Records":[{}]}',
      'ValidationException',
    ],
    ['a limit that is a text', 'ListDeliveryStreams', '{"Limit":"1"}', 'SerializationException'],
    ['a polluted prototype', 'PutRecord', '{"__proto__":{"DeliveryStreamName":"s"}}', 'ValidationException'],
    ['an operation that is not there', 'PutRecords', '{}', 'UnknownOperationException'],
    ['an operation of every object', 'constructor', '{}', 'UnknownOperationException'],
  ])('(%s) is answered as AWS would', async (_, operation, body, code) => {
    const { aws, errors } = await start()
    const { status, text, headers } = await raw(aws, { headers: target(operation), body })
    expect([status, JSON.parse(text).__type]).toEqual([400, code])
    expect(headers.get('content-type')).toBe('application/x-amz-json-1.1')
    expect(headers.get('content-length')).toBe(String(Buffer.byteLength(text)))
    expect(headers.get('x-amzn-requestid')).toMatch(/^[0-9a-f-]{36}$/)
    expect(errors).toEqual([])
    expect(aws.stats().records).toEqual({})
  })

  test.each<[string, RequestInit]>([
    ['another service', { headers: { 'x-amz-target': 'Kinesis_20131202.PutRecord' }, body: '{}' }],
    ['none', { body: '{}', headers: { 'content-type': 'application/json' } }],
    ['a method that is not POST', { method: 'PUT', headers: target('PutRecord'), body: '{}' }],
  ])('(a target of %s) is of an unknown operation', async (_, init) => {
    const { aws, calls } = await start()
    const { status, text } = await raw(aws, init as Parameters<typeof raw>[1])
    expect([status, JSON.parse(text).__type]).toEqual([400, 'UnknownOperationException'])
    expect(calls).toMatchObject([{ action: 'Unknown' }])
  })

  test('without an action is told so by STS', async () => {
    const { aws } = await start()
    const { status, text } = await raw(aws, { method: 'GET', service: 'sts' })
    expect([status, text]).toEqual([400, expect.stringContaining('<Code>MissingAction</Code>')])
  })

  test('of more than 16 MiB is refused, and the next is not', async () => {
    const { aws } = await start()
    const { status } = await raw(aws, {
      headers: target('PutRecord'),
      body: Buffer.alloc(16 * 1024 * 1024 + 1),
    })
    expect(status).toBe(413)
    expect((await raw(aws, { headers: target('ListDeliveryStreams'), body: '{}' })).status).toBe(200)
  })

  test('that is never finished does no harm', async () => {
    const { aws, errors, calls } = await start()
    const { port } = new URL(aws.endpoint)
    const socket = connect(Number(port), '127.0.0.1')
    socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"Deliv')
    await once(socket, 'connect')
    socket.destroy()
    await once(socket, 'close')
    expect((await raw(aws, { headers: target('ListDeliveryStreams'), body: '{}' })).status).toBe(200)
    expect(calls).toMatchObject([{ action: 'ListDeliveryStreams' }])
    expect(errors).toEqual([])
  })
})

function record(data: string): string {
  return `{"DeliveryStreamName":"s","Record":{"Data":${data}}}`
}
