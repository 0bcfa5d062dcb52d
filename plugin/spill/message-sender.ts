import { classify, type ErrorClass } from '../aws/error-classes.js'
import { backoffMs } from '../backoff.js'
import type { Clock } from '../clock.js'
import { ATTRIBUTES_BYTES, type OutgoingMessage } from './line-message.js'
import { MAX_ENTRIES, type QueueApi } from './queue-api.js'

/**
 * A message at most, and all of a SendMessageBatch together, as AWS has it since August 2025. Some regions and other
 * implementations of SQS take less, so that less is learned from their refusals.
 * Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
 */
const MAX_CALL_BYTES = 1_048_576

/** The least that a queue may be set to. */
const MIN_MESSAGE_BYTES = 1_024

const MAX_CALLS_AT_ONCE = 4
const MAX_TRIES = 4
/** A call may take as long again; whoever waits for the append has given up by then. */
const RETRY_FOR_MS = 4_000
const MAX_BACKOFF_MS = 1_000

/** Refusals of a call or an entry for its size, by the names that SQS and its like give them. */
const TOO_LONG = new Set([
  'BatchRequestTooLong',
  'AWS.SimpleQueueService.BatchRequestTooLong',
  'MessageTooLong',
  'RequestEntityTooLarge',
  'RequestEntityTooLargeException',
])
/** SQS says by this code that a message is too long, and much else; it gives the limit. */
const INVALID = new Set(['InvalidParameterValue', 'InvalidParameterValueException'])
const LIMIT = /(?:longer|shorter|larger|greater) than (\d+) bytes/i

/** Messages that succeed or fail together. */
export interface MessageGroup {
  /** @throws UnfitRecordError where something of it fits in no message of this size */
  encode(maxBodyBytes: number): readonly OutgoingMessage[]
}

/** A message that SQS has, by the ID that it gave it. */
export interface SentMessage extends OutgoingMessage {
  readonly id: string
}

/** A message on its way, and the place of its group. */
interface Draft {
  readonly group: number
  readonly message: OutgoingMessage
}

/** Why SQS does not have all of a group, by the place of the group. */
type Failures = Map<number, unknown>

interface Attempt {
  /** May succeed another time. */
  readonly again: readonly Draft[]
  /** Messages that are too long, each alone or, in a call, all of them together; with what SQS says of it. */
  readonly tooLong: readonly (readonly [some: readonly Draft[], error: unknown])[]
  readonly error: unknown
}

/** Sends messages to a queue, and learns how large a message and a call of it may be. */
export class MessageSender {
  readonly #api: QueueApi
  readonly #clock: Clock
  readonly #owner: string
  readonly #onSent: (message: SentMessage) => void
  /** What the queue says that it takes as one message. */
  maxMessageBytes = MAX_CALL_BYTES
  #learnedMessageBytes = MAX_CALL_BYTES
  #learnedCallBytes = MAX_CALL_BYTES

  /** @param owner - whose messages they are, for errors: `the spill` */
  constructor(api: QueueApi, clock: Clock, owner: string, onSent: (message: SentMessage) => void = () => {}) {
    this.#api = api
    this.#owner = owner
    this.#clock = clock
    this.#onSent = onSent
  }

  /** What a message may hold beside its attributes. */
  get maxBodyBytes(): number {
    const bytes = Math.min(this.maxMessageBytes, this.#learnedMessageBytes, this.#learnedCallBytes)
    return bytes - ATTRIBUTES_BYTES
  }

  /** @returns for each group why SQS may not have all of it; `undefined` where it has. Never rejects. */
  async send(groups: readonly MessageGroup[]): Promise<unknown[]> {
    const failed: Failures = new Map()
    const drafts = groups.flatMap((group, index) => this.#drafts(group, index, failed))
    const batches = this.#batches(drafts)
    const sendNext = async () => {
      for (let some = batches.shift(); some; some = batches.shift()) await this.#send(some, failed)
    }
    await Promise.all(Array.from({ length: MAX_CALLS_AT_ONCE }, sendNext))
    return groups.map((_, index) => failed.get(index))
  }

  #drafts(group: MessageGroup, index: number, failed: Failures): Draft[] {
    try {
      return group.encode(this.maxBodyBytes).map((message) => ({ group: index, message }))
    } catch (error) {
      failed.set(index, error)
      return []
    }
  }

  async #send(drafts: readonly Draft[], failed: Failures): Promise<void> {
    const start = this.#clock.now()
    let left = drafts
    for (let tries = 1; left.length > 0; tries++) {
      const { again, tooLong, error } = await this.#try(left, failed)
      for (const [some, error] of tooLong) await this.#sendSmaller(some, error, failed)
      left = again
      if (left.length === 0) return
      if (tries === MAX_TRIES || this.#clock.now() - start >= RETRY_FOR_MS) {
        for (const { group } of left) failed.set(group, error)
        return
      }
      const pauseMs = backoffMs(tries - 1, this.#clock, 100, MAX_BACKOFF_MS)
      await new Promise<void>((resolve) => this.#clock.after(pauseMs, resolve))
    }
  }

  /** One call. */
  async #try(drafts: readonly Draft[], failed: Failures): Promise<Attempt> {
    try {
      const { ids, failures } = await this.#api.send(drafts.map(({ message }) => message))
      const failedAt = new Map(failures.map((failure) => [failure.index, failure]))
      const again: Draft[] = []
      const tooLong: [Draft[], unknown][] = []
      let error: Error | undefined
      for (const [index, draft] of drafts.entries()) {
        const failure = failedAt.get(index)
        if (failure === undefined) {
          this.#onSent({ ...draft.message, id: ids.get(index) ?? '' })
          continue
        }
        const { code, message } = failure
        error = new Error(
          `SQS did not take a message of ${this.#owner} (${code}${message && `: ${message}`})`,
        )
        if (isTooLong(code, message)) tooLong.push([[draft], error])
        else if (mayPass(failure.class)) again.push(draft)
        else failed.set(draft.group, error)
      }
      return { again, tooLong, error }
    } catch (error) {
      const { name, message } = error as Error
      if (isTooLong(name, message)) return { again: [], tooLong: [[drafts, error]], error }
      if (mayPass(classify(error).class)) return { again: drafts, tooLong: [], error }
      for (const { group } of drafts) failed.set(group, error)
      return { again: [], tooLong: [], error }
    }
  }

  /** Halves a call that is too long; a message that is too long alone is split. */
  async #sendSmaller(drafts: readonly Draft[], error: unknown, failed: Failures): Promise<void> {
    const [first, second] = drafts
    if (first === undefined) return
    if (second === undefined) return this.#sendSplit(first, error, failed)
    const bytes = drafts.reduce((sum, { message }) => sum + message.bytes, 0)
    this.#learnedCallBytes = Math.min(this.#learnedCallBytes, smallerThan(bytes, error))
    const middle = Math.ceil(drafts.length / 2)
    for (const half of [drafts.slice(0, middle), drafts.slice(middle)]) await this.#send(half, failed)
  }

  async #sendSplit({ group, message }: Draft, error: unknown, failed: Failures): Promise<void> {
    const limit = smallerThan(message.bytes, error)
    if (limit < MIN_MESSAGE_BYTES) {
      failed.set(group, error)
      return
    }
    this.#learnedMessageBytes = Math.min(this.#learnedMessageBytes, limit)
    const parts = this.#drafts({ encode: (maxBytes) => message.split(maxBytes) }, group, failed)
    for (const some of this.#batches(parts)) await this.#send(some, failed)
  }

  /** As few calls as hold the messages. */
  #batches(drafts: readonly Draft[]): Draft[][] {
    const batches: Draft[][] = []
    let bytes = 0
    for (const draft of drafts) {
      const last = batches.at(-1)
      const fits = bytes + draft.message.bytes <= this.#learnedCallBytes
      if (last && last.length < MAX_ENTRIES && fits) last.push(draft)
      else {
        batches.push([draft])
        bytes = 0
      }
      bytes += draft.message.bytes
    }
    return batches
  }
}

function mayPass(kind: ErrorClass): boolean {
  return kind === 'retry' || kind === 'reauth'
}

function isTooLong(code: string, message: string): boolean {
  return TOO_LONG.has(code) || (INVALID.has(code) && LIMIT.test(message))
}

/** The limit that a refusal names, or half of what was refused where it names none that is smaller. */
function smallerThan(bytes: number, error: unknown): number {
  const named = Number(LIMIT.exec((error as Error).message)?.[1] ?? Number.NaN)
  return named < bytes ? named : Math.floor(bytes / 2)
}
