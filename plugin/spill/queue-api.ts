import type { Message, SQSClient } from '@aws-sdk/client-sqs'
import { redact } from '../aws/redact.js'
import type { Clock } from '../clock.js'
import type { OutgoingMessage } from './line-message.js'

/** The SDK's module, loaded by whoever configured a queue. */
type Sdk = typeof import('@aws-sdk/client-sqs')

/** What the spill asks of a client of SQS. */
export type QueueClient = Pick<SQSClient, 'send' | 'destroy'>

/** Entries in one call of SQS at most. */
export const MAX_ENTRIES = 10

/** SDKs give up on a request to the proxy after 10 s: a call that hangs must leave time for an answer. */
const CALL_TIMEOUT_MS = 4_000

/** An entry of a batch that was not done. */
export interface EntryFailure {
  readonly index: number
  readonly code: string
  /** What SQS says of it, which may be nothing. */
  readonly message: string
  /** Whether the same entry is bound to fail again. */
  readonly permanent: boolean
}

/** What became of the messages that were to be sent. */
export interface SendAnswer {
  /** The IDs of those that SQS has, by their index. */
  readonly ids: ReadonlyMap<number, string>
  readonly failures: readonly EntryFailure[]
}

interface BatchAnswer {
  readonly Successful?: readonly { readonly Id?: string | undefined }[] | undefined
  readonly Failed?:
    | readonly {
        readonly Id?: string | undefined
        readonly Code?: string | undefined
        readonly Message?: string | undefined
        readonly SenderFault?: boolean | undefined
      }[]
    | undefined
}

/** The few calls of SQS that a spill makes, none of which hangs. Each rejects with the error of AWS, redacted. */
export class QueueApi {
  readonly queueUrl: string
  readonly #sdk: Sdk
  readonly #client: QueueClient
  readonly #clock: Clock

  constructor(sdk: Sdk, client: QueueClient, queueUrl: string, clock: Clock) {
    this.queueUrl = queueUrl
    this.#sdk = sdk
    this.#client = client
    this.#clock = clock
  }

  async attributes(): Promise<Readonly<Record<string, string>>> {
    const command = new this.#sdk.GetQueueAttributesCommand({
      QueueUrl: this.queueUrl,
      AttributeNames: ['All'],
    })
    const { Attributes = {} } = await this.#call((options) => this.#client.send(command, options))
    return Attributes
  }

  async send(messages: readonly Pick<OutgoingMessage, 'body' | 'attributes'>[]): Promise<SendAnswer> {
    const command = new this.#sdk.SendMessageBatchCommand({
      QueueUrl: this.queueUrl,
      Entries: messages.map(({ body, attributes }, index) => ({
        Id: String(index),
        MessageBody: body,
        MessageAttributes: { ...attributes },
      })),
    })
    const answer = await this.#call((options) => this.#client.send(command, options))
    const ids = (answer.Successful ?? []).map(({ Id, MessageId = '' }) => [Number(Id), MessageId] as const)
    return { ids: new Map(ids), failures: failures(messages.length, answer) }
  }

  async receive(visibilitySeconds: number, waitSeconds: number): Promise<Message[]> {
    const command = new this.#sdk.ReceiveMessageCommand({
      QueueUrl: this.queueUrl,
      MaxNumberOfMessages: MAX_ENTRIES,
      VisibilityTimeout: visibilitySeconds,
      WaitTimeSeconds: waitSeconds,
      MessageAttributeNames: ['All'],
    })
    const call = this.#call((options) => this.#client.send(command, options), waitSeconds * 1000)
    return (await call).Messages ?? []
  }

  async hide(receipts: readonly string[], seconds: number): Promise<EntryFailure[]> {
    const command = new this.#sdk.ChangeMessageVisibilityBatchCommand({
      QueueUrl: this.queueUrl,
      Entries: receipts.map((ReceiptHandle, index) => ({
        Id: String(index),
        ReceiptHandle,
        VisibilityTimeout: seconds,
      })),
    })
    return failures(receipts.length, await this.#call((options) => this.#client.send(command, options)))
  }

  async delete(receipts: readonly string[]): Promise<EntryFailure[]> {
    const command = new this.#sdk.DeleteMessageBatchCommand({
      QueueUrl: this.queueUrl,
      Entries: receipts.map((ReceiptHandle, index) => ({ Id: String(index), ReceiptHandle })),
    })
    return failures(receipts.length, await this.#call((options) => this.#client.send(command, options)))
  }

  async #call<T>(send: (options: { abortSignal: AbortSignal }) => Promise<T>, extraMs = 0): Promise<T> {
    const controller = new AbortController()
    let cancel = () => {}
    // The SDK heeds the signal while a request is under way, and not while it waits for credentials.
    const tooLate = new Promise<never>((_, reject) => {
      cancel = this.#clock.after(CALL_TIMEOUT_MS + extraMs, () => {
        controller.abort()
        const error = new Error(`SQS did not answer within ${CALL_TIMEOUT_MS + extraMs} ms`)
        reject(Object.assign(error, { name: 'TimeoutError' }))
      })
    })
    try {
      return await Promise.race([send({ abortSignal: controller.signal }), tooLate])
    } catch (error) {
      throw redact(error, undefined)
    } finally {
      cancel()
    }
  }
}

/** A client with the ambient credentials. It tries once: whoever calls decides what is tried again. */
export function queueClient(sdk: Sdk, queueUrl: string, region: string): SQSClient {
  return new sdk.SQSClient({ region, endpoint: new URL(queueUrl).origin, maxAttempts: 1 })
}

/** What is not said to be done is not done. */
function failures(count: number, { Successful = [], Failed = [] }: BatchAnswer): EntryFailure[] {
  const done = new Set(Successful.map(({ Id }) => Id))
  const failed = new Map(Failed.map((entry) => [entry.Id, entry]))
  return Array.from({ length: count }, (_, index) => index)
    .filter((index) => !done.has(String(index)))
    .map((index) => {
      const entry = failed.get(String(index))
      const { Code: code = 'no answer', Message: message = '', SenderFault: permanent = false } = entry ?? {}
      return { index, code, message, permanent }
    })
}
