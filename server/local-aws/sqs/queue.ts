import { randomUUID } from 'node:crypto'
import { AwsError } from '../aws-error.js'
import type { Message } from './message.js'
import { invalidParameter } from './parameter-error.js'
import { MAX_VISIBILITY_SECONDS, type QueueAttributes } from './queue-attributes.js'
import { formatReceipt, parseReceipt } from './receipt.js'

/** SQS itself has no such limit; this machine has. */
const MAX_QUEUE_BYTES = 256 * 1024 * 1024

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html */
const MAX_IN_FLIGHT = 120_000

export interface StoredMessage {
  readonly id: string
  readonly message: Message
  readonly sentAt: number
  /** When anyone may receive it. */
  visibleAt: number
  firstReceivedAt: number | undefined
  lastReceivedAt: number | undefined
  receiveCount: number
}

/** How many messages are in which state, as the attributes of a queue tell it. */
export interface QueueCounts {
  readonly visible: number
  readonly inFlight: number
  readonly delayed: number
}

/** A standard queue in memory. Its messages come in the order in which they were sent, which SQS does not promise. */
export class Queue {
  readonly name: string
  readonly accountId: string
  readonly attributes: QueueAttributes
  readonly createdAt: number
  readonly #now: () => number
  readonly #messages = new Map<string, StoredMessage>()
  #bytes = 0
  #change = new AbortController()

  constructor(name: string, accountId: string, attributes: QueueAttributes, now: () => number) {
    this.name = name
    this.accountId = accountId
    this.attributes = attributes
    this.createdAt = now()
    this.#now = now
  }

  /** Aborted as soon as there may be something new to receive. */
  get change(): AbortSignal {
    return this.#change.signal
  }

  /** @throws AwsError where there is no memory left for it */
  send(message: Message): string {
    this.#expire()
    if (this.#bytes + message.bytes > MAX_QUEUE_BYTES) {
      throw new AwsError(
        'ServiceUnavailable',
        503,
        `The local AWS keeps ${MAX_QUEUE_BYTES} bytes in a queue.`,
      )
    }
    const id = randomUUID()
    const sentAt = this.#now()
    const delayMs = (message.delaySeconds ?? this.attributes.DelaySeconds) * 1000
    const stored = { id, message, sentAt, visibleAt: sentAt + delayMs, receiveCount: 0 }
    this.#messages.set(id, { ...stored, firstReceivedAt: undefined, lastReceivedAt: undefined })
    this.#bytes += message.bytes
    this.#tellOfChange()
    return id
  }

  /** @throws AwsError OverLimit */
  receive(count: number, visibilitySeconds: number): { stored: StoredMessage; receipt: string }[] {
    this.#expire()
    const now = this.#now()
    const received: StoredMessage[] = []
    for (const stored of this.#messages.values()) {
      if (received.length === count) break
      if (stored.visibleAt <= now) received.push(stored)
    }
    if (received.length > 0 && this.counts().inFlight + received.length > MAX_IN_FLIGHT) {
      throw new AwsError('OverLimit', 403, `A queue has ${MAX_IN_FLIGHT} messages in flight at most.`)
    }
    return received.map((stored) => {
      stored.visibleAt = now + visibilitySeconds * 1000
      stored.firstReceivedAt ??= now
      stored.lastReceivedAt = now
      stored.receiveCount++
      return { stored, receipt: formatReceipt(stored.id, stored.receiveCount) }
    })
  }

  /**
   * A standard queue takes the handle of any reception, also when another consumer has received the message since.
   * Nothing happens where the message is gone.
   *
   * @throws AwsError ReceiptHandleIsInvalid
   */
  delete(receipt: string): void {
    const stored = this.#messages.get(parseReceipt(receipt))
    if (stored !== undefined) this.#drop(stored)
  }

  /**
   * Takes the handle of any reception, as {@link delete} does, and hides a message again that is visible by now.
   *
   * @throws AwsError where the message is gone, or would be hidden for more than twelve hours since its last reception
   */
  changeVisibility(receipt: string, seconds: number): void {
    const stored = this.#messages.get(parseReceipt(receipt))
    const now = this.#now()
    if (stored === undefined) {
      throw invalidParameter(
        `Value ${receipt} for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.`,
      )
    }
    if (now + seconds * 1000 > (stored.lastReceivedAt ?? now) + MAX_VISIBILITY_SECONDS * 1000) {
      throw invalidParameter(
        `Value ${seconds} for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the message is beyond the limit [${MAX_VISIBILITY_SECONDS} seconds].`,
      )
    }
    stored.visibleAt = now + seconds * 1000
    this.#tellOfChange()
  }

  counts(): QueueCounts {
    this.#expire()
    const now = this.#now()
    const hidden = [...this.#messages.values()].filter(({ visibleAt }) => visibleAt > now)
    const delayed = hidden.filter(({ receiveCount }) => receiveCount === 0).length
    return { visible: this.#messages.size - hidden.length, inFlight: hidden.length - delayed, delayed }
  }

  /** In how many ms the next hidden message comes back. */
  nextVisibleInMs(): number {
    let next = Number.POSITIVE_INFINITY
    for (const { visibleAt } of this.#messages.values()) next = Math.min(next, visibleAt)
    return Math.max(0, next - this.#now())
  }

  #expire(): void {
    const before = this.#now() - this.attributes.MessageRetentionPeriod * 1000
    for (const stored of this.#messages.values()) {
      if (stored.sentAt > before) return
      this.#drop(stored)
    }
  }

  #drop(stored: StoredMessage): void {
    this.#messages.delete(stored.id)
    this.#bytes -= stored.message.bytes
  }

  #tellOfChange(): void {
    this.#change.abort()
    this.#change = new AbortController()
  }
}
