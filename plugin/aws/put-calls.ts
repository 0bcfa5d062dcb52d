import { Readable } from 'node:stream'
import { type FirehoseClient, PutRecordBatchCommand, PutRecordCommand } from '@aws-sdk/client-firehose'
import {
  type BatchOutput,
  type RecordOutput,
  readPlainBatchAnswer,
  readPlainRecordAnswer,
} from './put-answer.js'
import { batchBody, recordBody } from './put-body.js'
import { type RequestTemplate, TemplateMaker } from './request-template.js'

/** One of the two calls: how the SDK makes it, and how its common case is written and read here. */
interface Operation<Input extends object, Data, Output> {
  readonly none: Data
  input(stream: string, data: Data): Input
  /** As the SDK would, all of it. */
  send(client: FirehoseClient, input: Input, options?: { abortSignal: AbortSignal }): Promise<Output>
  body(stream: string, data: Data): Buffer
  /** Undefined where the answer is for the SDK to read. */
  read(bytes: Buffer): Output | undefined
}

type BatchInput = PutRecordBatchCommand['input']
type RecordInput = PutRecordCommand['input']

const PUT_RECORD_BATCH: Operation<BatchInput, readonly Uint8Array[], BatchOutput> = {
  none: [],
  input: (DeliveryStreamName, records) => ({
    DeliveryStreamName,
    Records: records.map((Data) => ({ Data })),
  }),
  send: (client, input, options) => client.send(new PutRecordBatchCommand(input), options),
  body: batchBody,
  read: readPlainBatchAnswer,
}

const PUT_RECORD: Operation<RecordInput, Uint8Array, RecordOutput> = {
  none: new Uint8Array(),
  input: (DeliveryStreamName, Data) => ({ DeliveryStreamName, Record: { Data } }),
  send: (client, input, options) => client.send(new PutRecordCommand(input), options),
  body: recordBody,
  read: readPlainRecordAnswer,
}

/**
 * Calls PutRecord and PutRecordBatch with an SDK's client, but by way of its middleware only once: that makes all
 * but the data, which are the same in all calls, and takes most of the time of one. The data are written natively, and
 * answers in which nothing failed are read by JSON.parse alone. Endpoint, headers, credentials, signature and request
 * handler are the SDK's, and it reads any other answer.
 */
export class PutCalls {
  readonly #client: FirehoseClient
  readonly #maker: TemplateMaker
  /** Of each operation, or undefined where the SDK writes bodies in another form than is known here. */
  readonly #made = new Map<object, RequestTemplate | undefined>()
  readonly #received = new WeakMap<object, unknown>()
  /** In AWS Lambda the SDK gives each request the trace of the invocation that it belongs to. */
  readonly #keepsTemplates = process.env['AWS_LAMBDA_FUNCTION_NAME'] === undefined

  constructor(client: FirehoseClient) {
    this.#client = client
    this.#maker = new TemplateMaker(client)
    client.middlewareStack.add(
      (next) => async (args) => {
        const response = this.#received.get(args.input)
        return response === undefined ? next(args) : { response }
      },
      { name: 'giveReceivedResponse', step: 'deserialize', priority: 'low' },
    )
  }

  /** @throws what the SDK throws */
  putRecordBatch(
    stream: string,
    records: readonly Uint8Array[],
    abortSignal: AbortSignal,
  ): Promise<BatchOutput> {
    return this.#call(PUT_RECORD_BATCH, stream, records, abortSignal)
  }

  /** @throws what the SDK throws */
  putRecord(stream: string, record: Uint8Array, abortSignal: AbortSignal): Promise<RecordOutput> {
    return this.#call(PUT_RECORD, stream, record, abortSignal)
  }

  async #call<Input extends object, Data, Output>(
    operation: Operation<Input, Data, Output>,
    stream: string,
    data: Data,
    abortSignal: AbortSignal,
  ): Promise<Output> {
    const template = this.#made.get(operation) ?? (await this.#template(operation, stream))
    if (template === undefined) {
      return operation.send(this.#client, operation.input(stream, data), { abortSignal })
    }
    const response = await template.send(operation.body(stream, data), abortSignal)
    if (response.statusCode === 200 && response.body instanceof Readable) {
      const bytes = await readAll(response.body)
      const output = operation.read(bytes)
      if (output !== undefined) return output
      response.body = bytes
    }
    const input = operation.input(stream, operation.none)
    this.#received.set(input, response)
    return operation.send(this.#client, input)
  }

  async #template<Input extends object, Data, Output>(
    operation: Operation<Input, Data, Output>,
    stream: string,
  ): Promise<RequestTemplate | undefined> {
    if (this.#made.has(operation)) return undefined
    const input = operation.input(stream, operation.none)
    const template = await this.#maker.make(input, () => operation.send(this.#client, input))
    const known = template?.hasBody(operation.body(stream, operation.none)) ? template : undefined
    if (this.#keepsTemplates) this.#made.set(operation, known)
    return known
  }
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
