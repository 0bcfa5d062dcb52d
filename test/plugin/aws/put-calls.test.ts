import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import {
  FirehoseClient,
  type FirehoseClientConfig,
  PutRecordBatchCommand,
  PutRecordCommand,
} from '@aws-sdk/client-firehose'
import { afterEach, expect, it, jest } from '@jest/globals'
import fc from 'fast-check'
import type { BatchOutput, RecordOutput } from '../../../plugin/aws/put-answer.js'
import { PutCalls } from '../../../plugin/aws/put-calls.js'

const ANSWERS = {
  none: '{"FailedPutCount":0,"Encrypted":false,"RequestResponses":[]}',
  record: '{"Encrypted":true,"RecordId":"r-0"}',
}

type AwsCredentialIdentity = Awaited<ReturnType<FirehoseClient['config']['credentials']>>
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

const BASE = {
  region: 'us-west-2',
  credentials: { accessKeyId: 'AKIAEXAMPLE000000000', secretAccessKey: 'secret' },
  maxAttempts: 1,
}

/** A client, what it has sent, the signals it was given for that, and the headers it is answered with. */
function clientFor(answer: string, status = 200, config: Partial<FirehoseClientConfig> = {}) {
  const sent: Sent[] = []
  const signals: unknown[] = []
  const headers: Record<string, string> = { 'x-amzn-requestid': 'id-1' }
  const requestHandler = {
    handle: async (request: Sent, { abortSignal }: { abortSignal?: AbortSignal }) => {
      sent.push(request)
      signals.push(abortSignal)
      return { response: { statusCode: status, headers, body: Readable.from([Buffer.from(answer)]) } }
    },
  }
  const client = new FirehoseClient({
    ...BASE,
    ...config,
    requestHandler: requestHandler as unknown as Handler,
  })
  return { client, sent, signals, headers }
}

/** What the SDK writes requests and reads answers with. */
function protocolOf({ config }: FirehoseClient) {
  return config.protocol as unknown as {
    serializeRequest(schema: never, input: object, context: never): Promise<{ body: unknown }>
    readonly deserializer: { read(): Promise<object> }
  }
}

const signal = new AbortController().signal

type Call =
  | { readonly stream: string; readonly records: readonly Uint8Array[] }
  | { readonly stream: string; readonly record: Uint8Array }

function byOurs(puts: PutCalls, call: Call) {
  if ('record' in call) return puts.putRecord(call.stream, call.record, signal)
  return puts.putRecordBatch(call.stream, call.records, signal)
}

async function bySdk(client: FirehoseClient, call: Call): Promise<BatchOutput | RecordOutput> {
  const DeliveryStreamName = call.stream
  if ('record' in call) {
    return client.send(new PutRecordCommand({ DeliveryStreamName, Record: { Data: call.record } }))
  }
  const Records = call.records.map((Data) => ({ Data }))
  return client.send(new PutRecordBatchCommand({ DeliveryStreamName, Records }))
}

/** Those that are not of the moment. */
function lastingHeaders({ headers }: Sent): Record<string, string> {
  const { authorization = '', ...others } = headers
  const lasting = Object.entries(others).filter(([name]) => !/date|invocation-id/.test(name))
  return { ...Object.fromEntries(lasting), authorization: authorization.replace(/Signature=.*/, '') }
}

/** Makes one call by the SDK as it comes and one by ours, answered alike; `before`, if any, makes ours its template. */
async function expectSame(call: Call, answer: string, before?: Call) {
  const [ours, sdk] = [clientFor(answer), clientFor(answer)]
  const puts = new PutCalls(ours.client)
  if (before !== undefined) await byOurs(puts, before)
  ours.sent.splice(0)
  const output = await byOurs(puts, call)
  const expected = await bySdk(sdk.client, call)
  expect(withoutMetadata(output)).toEqual(withoutMetadata(expected))
  const [mine, theirs] = [ours.sent[0], sdk.sent[0]]
  if (mine === undefined || theirs === undefined) throw new Error('Nothing was sent')
  expect(ours.sent).toHaveLength(1)
  expect(Buffer.compare(mine.body, theirs.body)).toBe(0)
  const headers = lastingHeaders(mine)
  expect(headers).toEqual(lastingHeaders(theirs))
  expect(Object.keys(mine.headers).sort()).toEqual(Object.keys(theirs.headers).sort())
  expect(headers['content-length']).toBe(String(mine.body.byteLength))
}

function textOf({ body }: Sent): string {
  return new TextDecoder().decode(body)
}

function withoutMetadata(output: object): object {
  const { $metadata: _, ...others } = output as { $metadata?: unknown }
  return others
}

it('sends a batch byte for byte as the SDK does', async () => {
  const stream = fc.string({ unit: 'grapheme' })
  const records = fc.array(fc.uint8Array({ maxLength: 70 }), { maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(stream, records, fc.option(stream), async (stream, records, first) => {
      const before = first === null ? undefined : { stream: first, records: [] }
      await expectSame({ stream, records }, ANSWERS.none, before)
    }),
    { numRuns: 60 },
  )
})

it('sends a record byte for byte as the SDK does', async () => {
  const data = fc.uint8Array({ maxLength: 70 })
  await fc.assert(
    fc.asyncProperty(fc.string(), data, fc.option(data), async (stream, record, first) => {
      const before = first === null ? undefined : { stream, record: first }
      await expectSame({ stream, record }, ANSWERS.record, before)
    }),
    { numRuns: 60 },
  )
})

it('sends the largest batch byte for byte as the SDK does, of parts of larger buffers', async () => {
  const all = Buffer.alloc(4 * 1024 * 1024, 'aé\0\xff-', 'latin1')
  const records = Array.from({ length: 500 }, (_, i) => all.subarray(i * 8_388, (i + 1) * 8_388 - (i % 3)))
  await expectSame({ stream: 's', records }, ANSWERS.none)
})

it('sends each of several calls at once with data of its own', async () => {
  const { client, sent } = clientFor(ANSWERS.record)
  const puts = new PutCalls(client)
  const put = (text: string) => puts.putRecord('s', Buffer.from(text), signal)
  await put('first')
  await Promise.all(['a', 'b'].map(put))
  expect(sent.slice(1).map(textOf)).toEqual([
    '{"DeliveryStreamName":"s","Record":{"Data":"YQ=="}}',
    '{"DeliveryStreamName":"s","Record":{"Data":"Yg=="}}',
  ])
})

it('signs each request as the SDK does, with the credentials of then', async () => {
  jest.useFakeTimers({ now: Date.UTC(2026, 0, 2), doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] })
  try {
    let credentials: AwsCredentialIdentity = { accessKeyId: 'AKIA1', secretAccessKey: 'one' }
    const config = { credentials: Object.assign(async () => credentials, { memoized: true }) }
    const [ours, sdk] = [clientFor(ANSWERS.none, 200, config), clientFor(ANSWERS.none, 200, config)]
    const puts = new PutCalls(ours.client)
    const both = async (records: Buffer[]) => {
      await byOurs(puts, { stream: 's', records })
      await bySdk(sdk.client, { stream: 's', records })
    }
    await both([Buffer.from('a')])
    await both([Buffer.from('b')])
    credentials = { accessKeyId: 'AKIA2', secretAccessKey: 'two', sessionToken: 'token' }
    jest.setSystemTime(Date.UTC(2026, 0, 2, 1))
    await both([Buffer.from('b')])
    credentials = { accessKeyId: 'AKIA3', secretAccessKey: 'three' }
    await both([Buffer.from('b')])
    // Signatures differ, as each covers its call's own ID: the local AWS checks them, in the integration tests.
    const signed = ({ sent }: { sent: Sent[] }) =>
      sent.map((request) => [lastingHeaders(request), request.headers['x-amz-date']])
    expect(signed(ours)).toEqual(signed(sdk))
    const ids = ours.sent.map(({ headers }) => headers['amz-sdk-invocation-id'])
    expect(new Set(ids).size).toBe(4)
  } finally {
    jest.useRealTimers()
  }
})

it.each([
  [
    'writes bodies of another form',
    ' ',
    (client: FirehoseClient) => {
      const protocol = protocolOf(client)
      const original = protocol.serializeRequest.bind(protocol)
      protocol.serializeRequest = async (...args) => {
        const request = await original(...args)
        request.body = Buffer.concat([request.body as Uint8Array, Buffer.from(' ')])
        return request
      }
    },
  ],
  [
    'signs by other middleware',
    '',
    (client: FirehoseClient) => {
      client.middlewareStack.remove('httpSigningMiddleware')
    },
  ],
])('leaves all to an SDK that %s', async (_name, end, change) => {
  const { client, sent, signals } = clientFor(ANSWERS.none)
  change(client)
  const puts = new PutCalls(client)
  for (const text of ['{}', '{"a":1}']) await puts.putRecordBatch('s', [Buffer.from(text)], signal)
  expect(sent.map(textOf)).toEqual([
    `{"DeliveryStreamName":"s","Records":[{"Data":"e30="}]}${end}`,
    `{"DeliveryStreamName":"s","Records":[{"Data":"eyJhIjoxfQ=="}]}${end}`,
  ])
  expect(signals).toEqual([signal, signal])
})

it('makes each request anew in AWS Lambda, whose traces the SDK puts into it', async () => {
  const { env } = process
  process.env = { ...env, AWS_LAMBDA_FUNCTION_NAME: 'f', _X_AMZN_TRACE_ID: 'Root=1' }
  try {
    const { client, sent } = clientFor(ANSWERS.none)
    const puts = new PutCalls(client)
    await puts.putRecordBatch('s', [], signal)
    process.env['_X_AMZN_TRACE_ID'] = 'Root=2'
    await puts.putRecordBatch('s', [], signal)
    expect(sent.map(({ headers }) => headers['X-Amzn-Trace-Id'])).toEqual(['Root=1', 'Root=2'])
  } finally {
    process.env = env
  }
})

it.each([
  [200, ANSWERS.none],
  [403, '{"__type":"InvalidSignatureException","message":"Signature expired"}'],
])('learns from an answer of %d that its clock is wrong, as the SDK does', async (status, answer) => {
  const [ours, sdk] = [clientFor(answer, status), clientFor(answer, status)]
  const date = new Date(Date.now() + 3_600_000).toUTCString()
  for (const { headers } of [ours, sdk]) headers['date'] = date
  const call = { stream: 's', records: [Buffer.from('a')] }
  const results = await Promise.allSettled([byOurs(new PutCalls(ours.client), call), bySdk(sdk.client, call)])
  const expected = status === 200 ? 'fulfilled' : 'rejected'
  expect(results.map((result) => result.status)).toEqual([expected, expected])
  for (const { client } of [ours, sdk]) expect(client.config.systemClockOffset).toBeGreaterThan(3_500_000)
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
  await expectSame({ stream: 's', records: [Buffer.from('a'), Buffer.from('b')] }, answer)
})

it.each([
  '{"Encrypted":false,"RecordId":"a"}',
  '{"RecordId":"é","More":1}',
  '{"RecordId":null,"Encrypted":true}',
  '{"RecordId":"a","Encrypted":null}',
  '{}',
  '',
])('reads the answer %s to PutRecord as the SDK does', async (answer) => {
  await expectSame({ stream: 's', record: Buffer.from('a') }, answer)
})

it('has the SDK make one request without data, and read no answer in which nothing failed', async () => {
  const { client, sent } = clientFor('{"FailedPutCount":0,"RequestResponses":[{"RecordId":"a"}]}')
  const protocol = protocolOf(client)
  const original = protocol.serializeRequest.bind(protocol)
  const inputs: object[] = []
  protocol.serializeRequest = (schema, input, context) => {
    inputs.push(input)
    return original(schema, input, context)
  }
  protocol.deserializer.read = () => Promise.reject(new Error('It read the answer'))
  const puts = new PutCalls(client)
  for (let call = 0; call < 3; call++) {
    const answer = await puts.putRecordBatch('s', [Buffer.from('a')], signal)
    expect(answer.RequestResponses).toEqual([{ RecordId: 'a' }])
  }
  expect(inputs).toEqual([{ DeliveryStreamName: 's', Records: [] }])
  expect(sent).toHaveLength(3)
})

it.each([
  [200, '{"FailedPutCount":0,"RequestResponses":[{"RecordId":"a"'],
  [200, '<html>'],
  [400, '{"__type":"InvalidArgumentException","message":"no"}'],
  [503, '{"__type":"ServiceUnavailableException","message":"Slow down."}'],
  [502, '<html>'],
])('fails by an answer of %d %s as the SDK does, and sends nothing again', async (status, answer) => {
  const [ours, sdk] = [clientFor(answer, status), clientFor(answer, status)]
  const call = { stream: 's', records: [Buffer.from('a')] }
  const mine = await byOurs(new PutCalls(ours.client), call).catch((error: Error) => error)
  const theirs = (await bySdk(sdk.client, call).catch((error: Error) => error)) as Error & {
    $metadata?: unknown
  }
  expect(mine).toBeInstanceOf(Error)
  // Those are of its retries, and there are none.
  const { attempts: _, totalRetryDelay: __, ...metadata } = theirs.$metadata as Record<string, unknown>
  expect(mine).toMatchObject({ name: theirs.name, message: theirs.message, $metadata: metadata })
  expect(ours.sent).toHaveLength(1)
})

it('asks again for credentials that could not be had', async () => {
  let asked = 0
  const credentials = async () => {
    if (asked++ === 0) throw new Error('no credentials yet')
    return BASE.credentials
  }
  const { client } = clientFor(ANSWERS.record, 200, {
    credentials: Object.assign(credentials, { memoized: true }),
  })
  const puts = new PutCalls(client)
  const put = () => puts.putRecord('s', Buffer.from('a'), signal)
  await expect(put()).rejects.toThrow('no credentials yet')
  expect(await put()).toEqual(JSON.parse(ANSWERS.record))
})

/** Calls that get what `answer` makes of them. */
async function served(answer: (res: ServerResponse) => void): Promise<PutCalls> {
  const server = createServer((req, res) => req.resume().on('end', () => answer(res)))
  servers.push(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return new PutCalls(new FirehoseClient({ ...BASE, endpoint }))
}

it('ends the call whose signal is aborted, and no other', async () => {
  const held: ServerResponse[] = []
  let both = () => {}
  const bothCame = new Promise<void>((resolve) => {
    both = resolve
  })
  const puts = await served((res) => {
    held.push(res)
    if (held.length === 2) both()
  })
  const first = new AbortController()
  const records = [Buffer.from('a')]
  const aborted = puts.putRecordBatch('s', records, first.signal).catch((error: Error) => error.name)
  const other = puts.putRecordBatch('s', records, signal)
  await bothCame
  first.abort()
  expect(await aborted).toBe('AbortError')
  for (const res of held) res.end('{"FailedPutCount":0,"RequestResponses":[{"RecordId":"r-1"}]}')
  expect((await other).RequestResponses).toEqual([{ RecordId: 'r-1' }])
})

it('fails a call whose answer breaks off', async () => {
  const puts = await served((res) => {
    res.writeHead(200, { 'content-length': 1_000 })
    res.write('{"FailedPutCount":0,', () => res.destroy())
  })
  await expect(puts.putRecordBatch('s', [Buffer.from('a')], signal)).rejects.toMatchObject({
    message: expect.stringContaining('aborted'),
  })
})

it('keeps the signer of the SDK, but none that could not be made', async () => {
  const { client } = clientFor(ANSWERS.record)
  const make = client.config.signer
  let made = 0
  client.config.signer = async (scheme) => {
    if (made++ === 0) throw new Error('no signer yet')
    return make(scheme)
  }
  const puts = new PutCalls(client)
  const put = () => puts.putRecord('s', Buffer.from('a'), signal)
  await expect(put()).rejects.toThrow('no signer yet')
  for (let call = 0; call < 3; call++) expect((await put()).RecordId).toBe('r-0')
  expect(made).toBe(2)
})

it.each([
  [200, '{"FailedPutCount":1,"RequestResponses":[{"RecordId":"a"},{"ErrorCode":"X","ErrorMessage":"y"}]}'],
  [503, '{"__type":"ServiceUnavailableException","message":"Slow down."}'],
])('loses no answer of %d to credentials that cannot be had when it comes', async (status, answer) => {
  let asked = 0
  const credentials = async () => {
    // Once for the template, twice for the signature: by the one that signs, and by its signer.
    if (asked++ >= 3) throw new Error('no credentials any more')
    return BASE.credentials
  }
  const { client, sent } = clientFor(answer, status, {
    credentials: Object.assign(credentials, { memoized: true }),
  })
  const records = [Buffer.from('a'), Buffer.from('b')]
  const result = await new PutCalls(client).putRecordBatch('s', records, signal).catch((error) => error)
  expect(result).toMatchObject(
    status === 200 ? JSON.parse(answer) : { name: 'ServiceUnavailableException', message: 'Slow down.' },
  )
  expect(sent).toHaveLength(1)
})
