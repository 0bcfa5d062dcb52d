import type { Message, SQSClient } from '@aws-sdk/client-sqs'
import { boundedCall, type RepairableClient } from '../aws/bounded-call.js'
import { classify, type ErrorClass, isKnown } from '../aws/error-classes.js'
import { type Clock, systemClock } from '../clock.js'
import type { SpillQueueConfiguration } from '../settings/spill-settings.js'
import type { OutgoingMessage } from './line-message.js'

/** The SDK's module, loaded by whoever configured a queue. */
type Sdk = typeof import('@aws-sdk/client-sqs')

/** What the spill asks of a client of SQS. */
export type QueueClient = Pick<SQSClient, 'send' | 'destroy'> & RepairableClient

/** Entries in one call of SQS at most. */
export const MAX_ENTRIES = 10

/** SDKs give up on a request to the proxy after 10 s: a call that hangs must leave time for an answer. */
const CALL_TIMEOUT_MS = 4_000

/** A receive brings ten messages of 1 MiB at most, which JSON may write at twice their size. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024

/** Several things of this message are invalid, so that implementations refuse it that do not check all of them. */
const NEVER_TAKEN = {
  MessageBody: '\u0001',
  DelaySeconds: 901,
  MessageAttributes: { never: { DataType: 'Never', StringValue: 'taken' } },
}

/** What SQS says of an input that is never valid, to whoever may make the call. */
const INVALID_INPUT = new Set([
  'InvalidMessageContents',
  'ReceiptHandleIsInvalid',
  'InvalidParameterValue',
  'InvalidParameterValueException',
  'InvalidIdFormat',
])

/** An entry of a batch that was not done. */
export interface EntryFailure {
  readonly index: number
  /** AWS's code. */
  readonly code: string
  /** What SQS says beside it, which may be nothing. */
  readonly message: string
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

  /**
   * Tries whether messages can be sent, without sending any: SQS asks its policies before it looks at a message that
   * it can never take.
   *
   * @throws the error of AWS where they cannot be
   */
  async trySend(): Promise<void> {
    const command = new this.#sdk.SendMessageCommand({ QueueUrl: this.queueUrl, ...NEVER_TAKEN })
    await this.#try((options) => this.#client.send(command, options))
  }

  /** {@link trySend} for what is done with messages that were received. */
  async tryRelease(): Promise<void> {
    const input = { QueueUrl: this.queueUrl, ReceiptHandle: 'none' }
    const remove = new this.#sdk.DeleteMessageCommand(input)
    const hide = new this.#sdk.ChangeMessageVisibilityCommand({ ...input, VisibilityTimeout: 0 })
    await Promise.all([
      this.#try((options) => this.#client.send(remove, options)),
      this.#try((options) => this.#client.send(hide, options)),
    ])
  }

  /** @throws the error of AWS, unless it is about the input alone */
  async #try(send: (options: { abortSignal: AbortSignal }) => Promise<unknown>): Promise<void> {
    try {
      await this.#call(send)
    } catch (error) {
      if (!INVALID_INPUT.has((error as Error).name)) throw error
    }
  }

  #call<T>(send: (options: { abortSignal: AbortSignal }) => Promise<T>, extraMs = 0): Promise<T> {
    const timeoutMs = CALL_TIMEOUT_MS + extraMs
    return boundedCall(
      { client: this.#client, service: 'SQS', region: this.region, timeoutMs, clock: this.#clock },
      send,
    )
  }
}

/** A client with the ambient credentials. It tries once: whoever calls decides what is tried again. */
export async function queueClient(
  sdk: Sdk,
  { queueUrl, region, httpsProxy }: Pick<SpillQueueConfiguration, 'queueUrl' | 'region' | 'httpsProxy'>,
  clock: Clock = systemClock,
): Promise<QueueClient> {
  // Loaded here and not at the top: whoever has no queue needs none of it.
  const { repairsOf, serviceClient } = await import('../aws/service-client.js')
  const { rememberAnswers } = await import('../aws/answer.js')
  const parts = serviceClient({ region, httpsProxy, clock, maxAnswerBytes: MAX_ANSWER_BYTES })
  const client = new sdk.SQSClient({ ...parts.config, endpoint: new URL(queueUrl).origin })
  rememberAnswers(client.middlewareStack)
  return {
    send: client.send.bind(client),
    destroy: () => parts.destroy(client),
    ...repairsOf(parts),
  }
}

/** Treats entries that the answer does not name as failed. */
function failures(count: number, { Successful = [], Failed = [] }: BatchAnswer): EntryFailure[] {
  const done = new Set(Successful.map(({ Id }) => Id))
  const failed = new Map(Failed.map((entry) => [entry.Id, entry]))
  return Array.from({ length: count }, (_, index) => index)
    .filter((index) => !done.has(String(index)))
    .map((index) => {
      const entry = failed.get(String(index))
      const { Code: code = 'no answer', Message: message = '', SenderFault = false } = entry ?? {}
      // SQS marks entries that it throttles as the sender's fault too: only a code in no list goes by that flag.
      const byFlag = SenderFault ? 'isolate' : 'retry'
      const known = { name: code, message }
      return { index, code, message, class: isKnown(known) ? classify(known).class : byFlag }
    })
}
