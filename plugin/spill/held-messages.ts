import type { Clock } from '../clock.js'
import { type EntryFailure, MAX_ENTRIES, type QueueApi } from './queue-api.js'
import type { RecordGroup } from './queue-message.js'

/** How long a message that is received stays with its receiver, unless that says it needs longer. */
export const VISIBILITY_SECONDS = 90

/** Of delivered messages that are still to be deleted: then whatever keeps them from it keeps the next ones, too. */
const MAX_UNDELETED = 1_000

/** A message that this process has received, and nobody else can meanwhile. */
export interface HeldMessage extends RecordGroup {
  /** What SQS calls it. */
  readonly id: string
  readonly receipt: string
  readonly bytes: number
  /** By `now()`. */
  readonly receivedAt: number
  /** By `now()`: from then on another process may have received it. */
  heldUntil: number
}

/** What is done with messages that were received: kept, given back or deleted. Nothing here rejects. */
export class HeldMessages {
  readonly #api: QueueApi
  readonly #clock: Clock
  readonly #onTrouble: (error: unknown) => void
  /** Delivered, and not deleted yet. */
  readonly #undeleted = new Set<HeldMessage>()

  constructor(api: QueueApi, clock: Clock, onTrouble: (error: unknown) => void) {
    this.#api = api
    this.#clock = clock
    this.#onTrouble = onTrouble
  }

  /** Keeps them hidden from others for longer. */
  async extend(messages: readonly HeldMessage[]): Promise<void> {
    const heldUntil = this.#clock.now() + VISIBILITY_SECONDS * 1000
    await this.#inBatches(messages, async (some) => {
      const failures = await this.#api.hide(receiptsOf(some), VISIBILITY_SECONDS)
      const failed = new Set(failures.map(({ index }) => index))
      for (const [index, message] of some.entries()) if (!failed.has(index)) message.heldUntil = heldUntil
    })
  }

  /** Lets others have them, now or, where SQS cannot be told, when their time is over. */
  async giveBack(messages: readonly HeldMessage[]): Promise<void> {
    await this.#inBatches(messages, async (some) => {
      await this.#api.hide(receiptsOf(some), 0)
    })
  }

  /** Their records are elsewhere: deletes them, now or with {@link deleteLeftovers}. @returns those that are gone */
  async delete(messages: readonly HeldMessage[]): Promise<HeldMessage[]> {
    // Without the records, which are elsewhere: what cannot be deleted must not fill the memory.
    const delivered = messages.map((message) => ({ ...message, records: [] }))
    for (const message of delivered) this.#undeleted.add(message)
    return this.#delete(delivered)
  }

  /** Whether so much cannot be deleted that more should not be delivered: in time all of it would be again. */
  get isBehind(): boolean {
    return this.#undeleted.size >= MAX_UNDELETED
  }

  async deleteLeftovers(): Promise<HeldMessage[]> {
    const leftovers = [...this.#undeleted]
    await this.extend(leftovers)
    return this.#delete(leftovers)
  }

  async #delete(messages: readonly HeldMessage[]): Promise<HeldMessage[]> {
    const deleted: HeldMessage[] = []
    await this.#inBatches(messages, async (some) => {
      const failures = await this.#api.delete(receiptsOf(some))
      const failedAt = new Map<number, EntryFailure>(failures.map((failure) => [failure.index, failure]))
      for (const [index, message] of some.entries()) {
        const failure = failedAt.get(index)
        if (failure === undefined) deleted.push(message)
        // A receipt that is no good any more: whoever has the message now delivers it again. All else may pass.
        if (failure === undefined || failure.class === 'isolate') this.#undeleted.delete(message)
      }
    })
    return deleted
  }

  async #inBatches(
    messages: readonly HeldMessage[],
    act: (some: readonly HeldMessage[]) => Promise<void>,
  ): Promise<void> {
    const batches: Promise<void>[] = []
    for (let at = 0; at < messages.length; at += MAX_ENTRIES)
      batches.push(act(messages.slice(at, at + MAX_ENTRIES)).catch(this.#onTrouble))
    await Promise.all(batches)
  }
}

function receiptsOf(messages: readonly HeldMessage[]): string[] {
  return messages.map(({ receipt }) => receipt)
}
