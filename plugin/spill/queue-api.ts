import type { Message, SQSClient } from '@aws-sdk/client-sqs'
import { describeError } from '../aws/describe-error.js'
import { classify, type ErrorClass, isKnown, isOfConnection } from '../aws/error-classes.js'
import { type Clock, systemClock } from '../clock.js'
import type { SpillQueueConfiguration } from '../settings/spill-settings.js'
import { withTimeout } from '../timeout.js'
import type { OutgoingMessage } from './queue-message.js'

/** The SDK's module, loaded by whoever configured a queue. */
type Sdk = typeof import('@aws-sdk/client-sqs')

/** What the spill asks of a client of SQS. */
export type QueueClient = Pick<SQSClient, 'send' | 'destroy'> & {
  /** For after a time-out or a reset. */
  dropIdleConnections?(): void
  /** AWS refused the credentials: the next call fetches others. */
  renewCredentials?(): void
  /** Whether a call has to wait for credentials first. */
  isWaitingForCredentials?(): boolean
}

/** Entries in one call of SQS at most. */
export const MAX_ENTRIES = 10

/** SDKs give up on a request to the proxy after 10 s: a call that hangs must leave time for an answer. */
const CALL_TIMEOUT_MS = 4_000

/** A receive brings ten messages of 1 MiB at most, which JSON may write at twice their size. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024

/** An entry of a batch that was not done. */
export interface EntryFailure {
  readonly index: number
  /** AWS's code, and what it said beside it. */
  readonly reason: string
  /** `isolate` where the entry itself is at fault. */
  readonly class: ErrorClass
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
  readonly region: string
  readonly #sdk: Sdk
  readonly #client: QueueClient
  readonly #clock: Clock

  constructor(
    sdk: Sdk,
    client: QueueClient,
    { queueUrl, region }: Pick<SpillQueueConfiguration, 'queueUrl' | 'region'>,
    clock: Clock,
  ) {
    this.queueUrl = queueUrl
    this.region = region
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

  async send(messages: readonly OutgoingMessage[]): Promise<SendAnswer> {
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
    const timeoutMs = CALL_TIMEOUT_MS + extraMs
    try {
      return await withTimeout(
        this.#clock,
        timeoutMs,
        (abortSignal) => send({ abortSignal }),
        () =>
          this.#client.isWaitingForCredentials?.()
            ? `No AWS credentials came within ${timeoutMs} ms`
            : `SQS did not answer within ${timeoutMs} ms`,
      )
    } catch (error) {
      if (isOfConnection(error)) this.#client.dropIdleConnections?.()
      if (classify(error).class === 'reauth') this.#client.renewCredentials?.()
      throw describeError(error, { service: 'SQS', region: this.region })
    }
  }
}

/** A client with the ambient credentials. It tries once: whoever calls decides what is tried again. */
export async function queueClient(
  sdk: Sdk,
  { queueUrl, region, httpsProxy }: Pick<SpillQueueConfiguration, 'queueUrl' | 'region' | 'httpsProxy'>,
  clock: Clock = systemClock,
): Promise<QueueClient> {
  const { serviceClient } = await import('../aws/service-client.js')
  const { rememberAnswers } = await import('../aws/answer.js')
  const parts = serviceClient({ region, httpsProxy, clock, maxAnswerBytes: MAX_ANSWER_BYTES })
  const client = new sdk.SQSClient({ ...parts.config, endpoint: new URL(queueUrl).origin })
  rememberAnswers(client.middlewareStack)
  return {
    send: client.send.bind(client),
    destroy: () => parts.destroy(client),
    dropIdleConnections: parts.dropIdleConnections,
    renewCredentials: () => parts.ambient?.renew(parts.ambient.cache.generation),
    isWaitingForCredentials: () => parts.ambient?.cache.isWaitedFor ?? false,
  }
}

/** Treats entries that the answer does not name as failed. */
function failures(count: number, { Successful = [], Failed = [] }: BatchAnswer): EntryFailure[] {
  const done = new Set(Successful.map(({ Id }) => Id))
  const failed = new Map(Failed.map((entry) => [entry.Id, entry]))
  return Array.from({ length: count }, (_, index) => index)
    .filter((index) => !done.has(String(index)))
    .map((index) => {
      const {
        Code: name = 'no answer',
        Message: message,
        SenderFault = false,
      } = failed.get(String(index)) ?? {}
      const reason = message === undefined ? name : `${name}: ${message}`
      // SQS marks entries that it throttles as the sender's fault too: only a code in no list goes by that flag.
      const byFlag = SenderFault ? 'isolate' : 'retry'
      return { index, reason, class: isKnown({ name }) ? classify({ name, message }).class : byFlag }
    })
}
