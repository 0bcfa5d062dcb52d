import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { FirehoseClient, PutRecordBatchCommand, PutRecordCommand } from '@aws-sdk/client-firehose'
import { afterEach, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { abortable, speedUpPuts } from '../../../plugin/aws/put-wire.js'

const ANSWERS = {
  none: '{"FailedPutCount":0,"Encrypted":false,"RequestResponses":[]}',
  record: '{"Encrypted":true,"RecordId":"r-0"}',
}

type Handler = NonNullable<NonNullable<ConstructorParameters<typeof FirehoseClient>[0]>['requestHandler']>
interface Sent {
  readonly headers: Record<string, string>
  readonly body: Uint8Array
}

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

/** The SDK's client as it comes, and ours, answered alike. */
function clients(answer: string, status = 200) {
  const make = (isOurs: boolean) => {
    const sent: Sent[] = []
    const requestHandler = {
      handle: async (request: Sent) => {
        sent.push(request)
        const headers = { 'x-amzn-requestid': 'id-1' }
        return { response: { statusCode: status, headers, body: Readable.from([Buffer.from(answer)]) } }
      },
    }
    const client = new FirehoseClient({ ...BASE, requestHandler: requestHandler as unknown as Handler })
    if (isOurs) speedUpPuts(client)
    return { client, sent }
  }
  return { ours: make(true), sdk: make(false) }
}

const BASE = {
  region: 'us-west-2',
  credentials: { accessKeyId: 'AKIAEXAMPLE000000000', secretAccessKey: 'secret' },
  maxAttempts: 1,
  cacheMiddleware: true,
}

/** Those that are not of the moment. */
function lastingHeaders({ headers }: Sent): Record<string, string> {
  const { authorization = '', ...others } = headers
  const lasting = Object.entries(others).filter(([name]) => !/date|invocation-id|user-agent/.test(name))
  return { ...Object.fromEntries(lasting), authorization: authorization.replace(/Signature=.*/, '') }
}

async function expectSame(command: () => PutRecordCommand | PutRecordBatchCommand, answer: string) {
  const { ours, sdk } = clients(answer)
  const results = [await ours.client.send(command() as never), await sdk.client.send(command() as never)]
  expect(results[0]).toEqual(results[1])
  const [mine, theirs] = [ours.sent[0], sdk.sent[0]]
  if (mine === undefined || theirs === undefined) throw new Error('Nothing was sent')
  expect(Buffer.compare(mine.body, theirs.body)).toBe(0)
  const headers = lastingHeaders(mine)
  expect(headers).toEqual(lastingHeaders(theirs))
  expect(headers['content-length']).toBe(String(mine.body.byteLength))
}

it('sends a batch byte for byte as the SDK does', async () => {
  const stream = fc.string({ unit: 'grapheme' })
  const data = fc.uint8Array({ maxLength: 70 })
  await fc.assert(
    fc.asyncProperty(stream, fc.array(data, { maxLength: 8 }), async (DeliveryStreamName, all) => {
      const Records = all.map((Data) => ({ Data }))
      await expectSame(() => new PutRecordBatchCommand({ DeliveryStreamName, Records }), ANSWERS.none)
    }),
    { numRuns: 60 },
  )
})

it('sends a record byte for byte as the SDK does', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string(), fc.uint8Array({ maxLength: 70 }), async (DeliveryStreamName, Data) => {
      await expectSame(() => new PutRecordCommand({ DeliveryStreamName, Record: { Data } }), ANSWERS.record)
    }),
    { numRuns: 60 },
  )
})

it('sends the largest batch byte for byte as the SDK does, of parts of larger buffers', async () => {
  const all = Buffer.alloc(4 * 1024 * 1024, 'aé\0\xff-', 'latin1')
  const Records = Array.from({ length: 500 }, (_, i) => ({
    Data: all.subarray(i * 8_388, (i + 1) * 8_388 - (i % 3)),
  }))
  await expectSame(() => new PutRecordBatchCommand({ DeliveryStreamName: 's', Records }), ANSWERS.none)
})

it('leaves data that are no bytes to the SDK', async () => {
  const Records = [{ Data: 'text' as unknown as Uint8Array }, { Data: Buffer.from('bytes') }]
  await expectSame(() => new PutRecordBatchCommand({ DeliveryStreamName: 's', Records }), ANSWERS.none)
})

it('leaves all to an SDK that writes bodies of another form', async () => {
  const { ours } = clients(ANSWERS.none)
  const { protocol } = ours.client.config as unknown as {
    protocol: { serializeRequest: (...args: never[]) => Promise<{ body: unknown }> }
  }
  const original = protocol.serializeRequest.bind(protocol)
  const lengths: number[] = []
  protocol.serializeRequest = async (...args) => {
    const request = await original(...args)
    request.body = Buffer.concat([request.body as Uint8Array, Buffer.from(' ')])
    lengths.push((request.body as Buffer).length)
    return request
  }
  const Records = [{ Data: Buffer.from('{}') }]
  await ours.client.send(new PutRecordBatchCommand({ DeliveryStreamName: 's', Records }))
  expect(lengths).toHaveLength(2)
  expect(String(ours.sent[0]?.body)).toBe('{"DeliveryStreamName":"s","Records":[{"Data":"e30="}]} ')
})

it.each([
  '{"FailedPutCount":0,"Encrypted":true,"RequestResponses":[{"RecordId":"a"},{"RecordId":"b"}]}',
  '{"FailedPutCount":0,"RequestResponses":[{"RecordId":"é\\n"}]}',
  '{"FailedPutCount":1,"RequestResponses":[{"RecordId":"a"},{"ErrorCode":"X","ErrorMessage":"y"}]}',
  '{"FailedPutCount":0,"RequestResponses":[{"ErrorCode":"X","ErrorMessage":"y"}]}',
  '{"FailedPutCount":0,"RequestResponses":[{"RecordId":"a","ErrorCode":"X"}]}',
  '{"FailedPutCount":0,"RequestResponses":[null,{"RecordId":null}]}',
  '{"FailedPutCount":0}',
  '{"FailedPutCount":0,"RequestResponses":null,"Encrypted":null}',
  '{}',
  '',
])('reads the answer %s as the SDK does', async (answer) => {
  const Records = [{ Data: Buffer.from('a') }, { Data: Buffer.from('b') }]
  await expectSame(() => new PutRecordBatchCommand({ DeliveryStreamName: 's', Records }), answer)
})

it.each([
  '{"Encrypted":false,"RecordId":"a"}',
  '{"RecordId":"é","More":1}',
  '{"RecordId":null,"Encrypted":true}',
  '{"RecordId":"a","Encrypted":null}',
  '{}',
  '',
])('reads the answer %s to PutRecord as the SDK does', async (answer) => {
  const Record = { Data: Buffer.from('a') }
  await expectSame(() => new PutRecordCommand({ DeliveryStreamName: 's', Record }), answer)
})

it('has the SDK write no data and read no answer in which nothing failed', async () => {
  const { ours } = clients('{"FailedPutCount":0,"RequestResponses":[{"RecordId":"a"}]}')
  const { protocol } = ours.client.config as unknown as {
    protocol: {
      serializeRequest: (schema: never, input: object, context: never) => Promise<object>
      deserializer: { read: () => Promise<object> }
    }
  }
  const original = protocol.serializeRequest.bind(protocol)
  const inputs: object[] = []
  protocol.serializeRequest = (schema, input, context) => {
    inputs.push(input)
    return original(schema, input, context)
  }
  protocol.deserializer.read = () => Promise.reject(new Error('It read the answer'))
  const answer = await ours.client.send(put())
  expect(answer.RequestResponses).toEqual([{ RecordId: 'a' }])
  expect(inputs).toEqual([{ DeliveryStreamName: 's', Records: [] }])
})

it.each([
  [200, '{"FailedPutCount":0,"RequestResponses":[{"RecordId":"a"'],
  [200, '<html>'],
  [400, '{"__type":"InvalidArgumentException","message":"no"}'],
  [503, '{"__type":"ServiceUnavailableException","message":"Slow down."}'],
  [502, '<html>'],
])('fails by an answer of %d %s as the SDK does', async (status, answer) => {
  const { ours, sdk } = clients(answer, status)
  const errors = []
  for (const { client } of [ours, sdk]) {
    const Records = [{ Data: Buffer.from('a') }]
    const command = new PutRecordBatchCommand({ DeliveryStreamName: 's', Records })
    errors.push(await client.send(command).catch((error: Error) => error))
  }
  const [mine, theirs] = errors as (Error & { $metadata?: unknown })[]
  expect(mine).toBeInstanceOf(Error)
  expect(mine).toMatchObject({ name: theirs?.name, message: theirs?.message, $metadata: theirs?.$metadata })
})

/** A client whose calls get what `answer` makes of them. */
async function served(answer: (res: ServerResponse, call: number) => void): Promise<FirehoseClient> {
  let calls = 0
  const server = createServer((req, res) => req.resume().on('end', () => answer(res, calls++)))
  servers.push(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const client = new FirehoseClient({ ...BASE, endpoint })
  speedUpPuts(client)
  return client
}

const put = () =>
  new PutRecordBatchCommand({ DeliveryStreamName: 's', Records: [{ Data: Buffer.from('a') }] })

it('ends the call whose signal is aborted, and no other', async () => {
  const held: ServerResponse[] = []
  let both = () => {}
  const bothCame = new Promise<void>((resolve) => {
    both = resolve
  })
  const client = await served((res) => {
    held.push(res)
    if (held.length === 2) both()
  })
  const first = new AbortController()
  const aborted = client.send(abortable(put(), first.signal)).catch((error: Error) => error.name)
  const other = client.send(abortable(put(), new AbortController().signal))
  await bothCame
  first.abort()
  expect(await aborted).toBe('AbortError')
  for (const res of held) res.end('{"FailedPutCount":0,"RequestResponses":[{"RecordId":"r-1"}]}')
  expect((await other).RequestResponses).toEqual([{ RecordId: 'r-1' }])
})

it('fails a call whose answer breaks off', async () => {
  const client = await served((res) => {
    res.writeHead(200, { 'content-length': 1_000 })
    res.write('{"FailedPutCount":0,', () => res.destroy())
  })
  await expect(client.send(put())).rejects.toMatchObject({ message: expect.stringContaining('aborted') })
})

it('keeps the signer of the SDK, but none that could not be made', async () => {
  const requestHandler = {
    handle: async () => {
      const body = Readable.from([Buffer.from(ANSWERS.record)])
      return { response: { statusCode: 200, headers: {}, body } }
    },
  }
  const client = new FirehoseClient({ ...BASE, requestHandler: requestHandler as unknown as Handler })
  const make = client.config.signer
  let made = 0
  client.config.signer = async (scheme) => {
    if (made++ === 0) throw new Error('no signer yet')
    return make(scheme)
  }
  speedUpPuts(client)
  const put = () =>
    client.send(new PutRecordCommand({ DeliveryStreamName: 's', Record: { Data: Buffer.from('a') } }))
  await expect(put()).rejects.toThrow('no signer yet')
  for (let call = 0; call < 3; call++) expect((await put()).RecordId).toBe('r-0')
  expect(made).toBe(2)
})
