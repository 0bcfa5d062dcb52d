import type { Message } from '@aws-sdk/client-sqs'
import type { Clock } from '../clock.js'
import type { Logger } from '../logger.js'
import { type HeldMessage, VISIBILITY_SECONDS } from './held-messages.js'
import { byteLength } from './lines.js'
import { MessageShelf } from './message-shelf.js'
import type { QueueApi } from './queue-api.js'
import { decodeMessage } from './queue-message.js'
import type { SpillTarget } from './spill.js'

const MAX_CLAIM_BYTES = 4 * 1024 * 1024
/** Then others have a turn, to whom the target may not be sick. */
const MAX_SHELVED_MS = 10 * 60_000
/** A message is not worth claiming when it may be someone else's before its records are delivered. */
const MIN_LEFT_MS = 10_000
/** A queue may be full of what is not of a spill, and each comes again every minute and a half. */
const TELL_OF_FOREIGN_MS = 60_000

export interface QueueInboxHooks {
  readonly onReceived: (message: HeldMessage) => void
  readonly onTrouble: (error: unknown) => void
}

/** Receives messages and keeps those that nobody claims yet. */
export class QueueInbox {
  readonly #api: QueueApi
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #hooks: QueueInboxHooks
  readonly #shelf = new MessageShelf()
  /** Messages that no spill wrote, since they were last told of. */
  #foreign = 0
  #nextForeignAt = Number.NEGATIVE_INFINITY
  #receiving: Promise<number | undefined> | undefined

  constructor(api: QueueApi, clock: Clock, logger: Logger, hooks: QueueInboxHooks) {
    this.#api = api
    this.#clock = clock
    this.#logger = logger
    this.#hooks = hooks
  }

  get isHalfFull(): boolean {
    return this.#shelf.isHalfFull
  }

  /** The oldest messages that wait for the target. */
  take(target: SpillTarget): HeldMessage[] {
    const enough = this.#clock.now() + MIN_LEFT_MS
    return this.#shelf.take(target, MAX_CLAIM_BYTES).filter(({ heldUntil }) => heldUntil > enough)
  }

  /** Those that are still to be kept. */
  current(): HeldMessage[] {
    const now = this.#clock.now()
    for (const message of this.#shelf.all())
      if (message.heldUntil <= now || message.receivedAt <= now - MAX_SHELVED_MS) this.#shelf.remove(message)
    return this.#shelf.all()
  }

  takeAll(): HeldMessage[] {
    return this.takeThose(() => true)
  }

  takeThose(isMeant: (message: HeldMessage) => boolean): HeldMessage[] {
    const taken = this.#shelf.all().filter(isMeant)
    for (const message of taken) this.#shelf.remove(message)
    return taken
  }

  /**
   * Puts what comes on the shelf; claims of several targets that wait for messages wait together.
   * @returns how many came; `undefined` where SQS could not be asked.
   */
  receive(waitSeconds: number): Promise<number | undefined> {
    this.#receiving ??= this.#receive(waitSeconds).finally(() => {
      this.#receiving = undefined
    })
    return this.#receiving
  }

  async #receive(waitSeconds: number): Promise<number | undefined> {
    const receivedAt = this.#clock.now()
    try {
      const messages = await this.#api.receive(VISIBILITY_SECONDS, waitSeconds)
      for (const message of messages) this.#put(message, receivedAt)
      return messages.length
    } catch (error) {
      this.#hooks.onTrouble(error)
      return undefined
    }
  }

  #tellOfForeign({ MessageId }: Message): void {
    const now = this.#clock.now()
    if (now < this.#nextForeignAt) {
      this.#foreign++
      return
    }
    const others = this.#foreign > 0 ? `, as are ${this.#foreign} others` : ''
    this.#logger.error(
      `Message ${MessageId} in the spill queue ${this.#api.queueUrl} is not of a spill: it is left there${others}`,
    )
    this.#foreign = 0
    this.#nextForeignAt = now + TELL_OF_FOREIGN_MS
  }

  #put(message: Message, receivedAt: number): void {
    const group = decodeMessage(message)
    const { MessageId: id, ReceiptHandle: receipt } = message
    if (group === undefined || id === undefined || receipt === undefined) {
      this.#tellOfForeign(message)
      return
    }
    // Not made visible at once, or the next receive would bring it again and never come to what lies behind it.
    while (this.#shelf.isFull) this.#shelf.removeLongest()
    const held: HeldMessage = {
      ...group,
      id,
      receipt,
      bytes: byteLength(group.records),
      receivedAt,
      heldUntil: receivedAt + VISIBILITY_SECONDS * 1000,
    }
    this.#shelf.add(held)
    this.#hooks.onReceived(held)
  }
}
