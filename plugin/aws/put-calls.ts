import { Readable } from 'node:stream'
import { type FirehoseClient, PutRecordBatchCommand, PutRecordCommand } from '@aws-sdk/client-firehose'
import { readAnswer, rememberAnswer } from './answer.js'
import {
  type BatchOutput,
  type RecordOutput,
  readPlainBatchAnswer,
  readPlainRecordAnswer,
} from './put-answer.js'
import { batchBody, recordBody } from './put-body.js'
import { type RequestTemplate, TemplateMaker } from './request-template.js'

/** One of the two calls: how the SDK makes it, and how its common case is written and read here. */
interface Operation<Input extends object, Data, Output extends object> {
  readonly noData: Data
  input(stream: string, data: Data): Input
  /** The whole call, as the SDK makes it. */
  send(client: FirehoseClient, input: Input, options?: { abortSignal: AbortSignal }): Promise<Output>
  body(stream: string, data: Data): Buffer
  /** Undefined where the answer is for the SDK to read. */
  readPlain(bytes: Buffer): Output | undefined
}

type BatchInput = PutRecordBatchCommand['input']
type RecordInput = PutRecordCommand['input']

const PUT_RECORD_BATCH: Operation<BatchInput, readonly Uint8Array[], BatchOutput> = {
  noData: [],
  input: (DeliveryStreamName, records) => ({
    DeliveryStreamName,
    Records: records.map((Data) => ({ Data })),
  }),
  send: (client, input, options) => client.send(new PutRecordBatchCommand(input), options),
  body: batchBody,
  readPlain: readPlainBatchAnswer,
}

const PUT_RECORD: Operation<RecordInput, Uint8Array, RecordOutput> = {
  noData: new Uint8Array(),
  input: (DeliveryStreamName, Data) => ({ DeliveryStreamName, Record: { Data } }),
  send: (client, input, options) => client.send(new PutRecordCommand(input), options),
  body: recordBody,
  readPlain: readPlainRecordAnswer,
}

/**
 * Calls PutRecord and PutRecordBatch with a client of the SDK. Its middleware takes most of the time of a call, and
 * makes the same of each but for the data: it is gone through once, for a template. Bodies are written here, and answers
 * in which nothing failed are read by JSON.parse alone. Endpoint, headers, credentials, signature and request handler
 * are the SDK's, and it reads any other answer.
 *
 * Where the SDK signs by other middleware than it does today, or writes other bodies, the calls are all its own.
 */
export class PutCalls {
  readonly #client: FirehoseClient
  readonly #maxAnswerBytes: number
  readonly #maker: TemplateMaker
  /** By operation; undefined where the calls are the SDK's own. */
  readonly #templates = new Map<object, RequestTemplate | undefined>()
  /** In AWS Lambda the SDK gives each request the trace of its invocation: there a template serves one call. */
  readonly #keepsTemplates = process.env['AWS_LAMBDA_FUNCTION_NAME'] === undefined

  constructor(client: FirehoseClient, maxAnswerBytes = Number.POSITIVE_INFINITY) {
    this.#client = client
    this.#maxAnswerBytes = maxAnswerBytes
    this.#maker = new TemplateMaker(client)
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

  async #call<Input extends object, Data, Output extends object>(
    operation: Operation<Input, Data, Output>,
    stream: string,
    data: Data,
    abortSignal: AbortSignal,
  ): Promise<Output> {
    const template = this.#templates.has(operation)
      ? this.#templates.get(operation)
      : await this.#makeTemplate(operation, stream)
    if (template === undefined) {
      return operation.send(this.#client, operation.input(stream, data), { abortSignal })
    }
    const { response, read } = await template.send(operation.body(stream, data), abortSignal)
    if (response.statusCode === 200 && response.body instanceof Readable) {
      const bytes = await readAnswer(response.body, this.#maxAnswerBytes).catch((error) => {
        // As the SDK has it, for whoever describes the error.
        throw Object.assign(error, { $response: response })
      })
      const output = operation.readPlain(bytes)
      if (output !== undefined) {
        rememberAnswer(output, response)
        return output
      }
      response.body = bytes
    }
    return (await read()) as Output
  }

  async #makeTemplate<Input extends object, Data, Output extends object>(
    operation: Operation<Input, Data, Output>,
    stream: string,
  ): Promise<RequestTemplate | undefined> {
    const input = operation.input(stream, operation.noData)
    const made = await this.#maker.make(input, () => operation.send(this.#client, input))
    const template = made?.hasBody(operation.body(stream, operation.noData)) ? made : undefined
    if (this.#keepsTemplates) this.#templates.set(operation, template)
    return template
  }
}
