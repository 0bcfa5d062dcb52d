import { Readable } from 'node:stream'
import type { FirehoseClient, PutRecordCommandOutput, ServiceInputTypes } from '@aws-sdk/client-firehose'
import { readPlainBatchAnswer, readPlainRecordAnswer } from './put-answer.js'
import { fillBatchBody, fillRecordBody } from './put-body.js'

/** The data of a call. */
type Data = { readonly records: readonly Uint8Array[] } | { readonly record: Uint8Array }

/** The parts of the SDK's requests and responses that are touched here. */
interface Message {
  body?: unknown
  readonly statusCode?: number
  readonly headers?: Readonly<Record<string, string>>
}

/** The SDK wrote the body in another form than it does today. */
class UnknownBody extends Error {}

const NO_DATA = new Uint8Array()

const signals = new WeakMap<object, AbortSignal>()

/**
 * Lets `signal` end the call of a command, with a client that {@link speedUpPuts} was called for. As an option of
 * `send` it would have the SDK put its middleware together anew for each call.
 */
export function abortable<T extends { readonly input: object }>(command: T, signal: AbortSignal): T {
  signals.set(command.input, signal)
  return command
}

/**
 * Has a client write the data of PutRecord and PutRecordBatch natively, and read by JSON.parse alone the answers in
 * which nothing failed: the SDK's own ways take most of a call. Headers, endpoint, credentials, signature, request
 * handler, and the reading of any other answer, stay the SDK's.
 */
export function speedUpPuts(client: FirehoseClient): void {
  // It makes a copy of all records for the log, even where there is none.
  client.middlewareStack.remove('loggerMiddleware')
  writeBodies(client)
  readAnswers(client)
  keepSigners(client)
}

/** The SDK makes a request without the data, which is filled in before anything looks at the body. */
function writeBodies({ middlewareStack }: FirehoseClient): void {
  const setAside = new WeakMap<object, { readonly input: ServiceInputTypes; readonly data: Data }>()
  middlewareStack.add(
    (next) => async (args) => {
      const data = dataOf(args.input)
      if (data === undefined) return next(args)
      const none = 'records' in data ? { Records: [] } : { Record: { Data: NO_DATA } }
      const input = { ...args.input, ...none }
      setAside.set(input, { input: args.input, data })
      try {
        return await next({ ...args, input })
      } catch (error) {
        if (error instanceof UnknownBody) return next(args)
        throw error
      }
    },
    { name: 'setDataAside', step: 'serialize', priority: 'high' },
  )
  middlewareStack.add(
    (next) => async (args) => {
      const call = setAside.get(args.input)
      if (call === undefined) return next(args)
      const request = args.request as Message
      request.body = fill(request.body, call.data)
      return next({ ...args, input: call.input })
    },
    { name: 'fillInData', step: 'serialize', priority: 'low' },
  )
}

/**
 * An answer in which nothing failed is read ahead of the SDK's deserialiser, and never comes to it: that puts all
 * settings of the client together for each. Any other it reads, of the response that is here already.
 */
function readAnswers({ middlewareStack, config }: FirehoseClient): void {
  const received = new WeakMap<object, Message>()
  middlewareStack.add(
    (next) => async (args) => {
      const abortSignal = signals.get(args.input)
      const request = args.request as Parameters<typeof config.requestHandler.handle>[0]
      const { response } = await config.requestHandler.handle(request, abortSignal ? { abortSignal } : {})
      const { body, statusCode } = response as Message
      if (statusCode === 200 && body instanceof Readable) {
        const bytes = await readAll(body)
        const answer = 'Records' in args.input ? readPlainBatchAnswer(bytes) : readPlainRecordAnswer(bytes)
        if (answer !== undefined) return { response, output: { ...answer, $metadata: metadataOf(response) } }
        response.body = bytes
      }
      received.set(request, response)
      return next(args)
    },
    { name: 'sendPut', step: 'deserialize', priority: 'high' },
  )
  middlewareStack.add(
    // In place of the SDK's own last step, which has the signal of whichever call was the first.
    () => async (args) => ({ response: received.get(args.request as object) }),
    { name: 'giveResponse', step: 'deserialize', priority: 'low' },
  )
}

/** As the SDK's deserialiser makes it. */
function metadataOf({ statusCode, headers = {} }: Message): PutRecordCommandOutput['$metadata'] {
  const metadata = {
    httpStatusCode: statusCode,
    requestId: headers['x-amzn-requestid'] ?? headers['x-amzn-request-id'] ?? headers['x-amz-request-id'],
    extendedRequestId: headers['x-amz-id-2'],
    cfId: headers['x-amz-cf-id'],
  }
  return metadata as PutRecordCommandOutput['$metadata']
}

/**
 * The SDK makes a signer for each call, of all settings of the client. They do not change: it asks for the credentials
 * and the time at each signature.
 */
function keepSigners({ config }: FirehoseClient): void {
  const make = config.signer
  const made = new Map<string, ReturnType<typeof make>>()
  config.signer = (scheme) => {
    const key = `${scheme?.signingRegion} ${scheme?.signingName}`
    const known = made.get(key)
    if (known !== undefined) return known
    const signer = make(scheme)
    made.set(key, signer)
    // What fails may succeed at the next call.
    signer.catch(() => made.delete(key))
    return signer
  }
}

function dataOf(input: object): Data | undefined {
  if ('Records' in input) {
    const records: Uint8Array[] = []
    for (const { Data } of input.Records as readonly { readonly Data: unknown }[]) {
      if (!(Data instanceof Uint8Array)) return undefined
      records.push(Data)
    }
    return { records }
  }
  const record = 'Record' in input ? (input.Record as { readonly Data: unknown }).Data : undefined
  return record instanceof Uint8Array ? { record } : undefined
}

function fill(empty: unknown, data: Data): Buffer {
  if (!(empty instanceof Uint8Array)) throw new UnknownBody()
  const body = 'records' in data ? fillBatchBody(empty, data.records) : fillRecordBody(empty, data.record)
  if (body === undefined) throw new UnknownBody()
  return body
}

function readAll(body: Readable): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    body.on('data', (chunk: Buffer) => chunks.push(chunk))
    body.on('error', reject)
    // It is closed after its end, too.
    body.on('close', () => body.readableEnded || reject(new Error('The answer ended too soon')))
    body.on('end', () => resolve(Buffer.concat(chunks)))
  })
}
