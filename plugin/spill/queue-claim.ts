import type { HeldMessage, HeldMessages } from './held-messages.js'
import type { Parcel } from './packing.js'
import type { SpillClaim, SpillTarget } from './spill.js'

export interface QueueClaimHooks {
  /** Sends records to the queue anew. */
  readonly write: (parcel: Parcel) => Promise<void>
  readonly onDeleted: (messages: readonly HeldMessage[]) => void
  readonly onEnd: () => void
}

/** Messages held, as one row of records. */
export class QueueClaim implements SpillClaim {
  readonly target: SpillTarget
  readonly records: readonly Uint8Array[]
  readonly messages: readonly HeldMessage[]
  readonly #held: HeldMessages
  readonly #hooks: QueueClaimHooks
  #end: Promise<void> | undefined

  constructor(
    target: SpillTarget,
    messages: readonly HeldMessage[],
    held: HeldMessages,
    hooks: QueueClaimHooks,
  ) {
    this.target = target
    this.messages = messages
    this.records = messages.flatMap(({ records }) => records)
    this.#held = held
    this.#hooks = hooks
  }

  done(): Promise<void> {
    return this.release([])
  }

  release(left: readonly number[] = [...this.records.keys()]): Promise<void> {
    this.#end ??= this.#release(new Set(left)).finally(this.#hooks.onEnd)
    return this.#end
  }

  async #release(left: ReadonlySet<number>): Promise<void> {
    const finished: HeldMessage[] = []
    const untouched: HeldMessage[] = []
    const mixed: HeldMessage[] = []
    const records: Uint8Array[] = []
    let first = 0
    for (const message of this.messages) {
      const start = first
      first += message.records.length
      const leftHere = message.records.filter((_, index) => left.has(start + index))
      if (leftHere.length === 0) finished.push(message)
      else if (leftHere.length === message.records.length) untouched.push(message)
      else {
        mixed.push(message)
        records.push(...leftHere)
      }
    }
    await Promise.all([
      this.#held.giveBack(untouched),
      this.#delete(finished),
      ...(mixed.length > 0 ? [this.#rewrite(mixed, records)] : []),
    ])
  }

  /** What is left goes into the queue anew before the old messages are deleted. */
  async #rewrite(mixed: readonly HeldMessage[], records: readonly Uint8Array[]): Promise<void> {
    const time = Math.min(...mixed.map((message) => message.time))
    try {
      await this.#hooks.write({ target: this.target, records, time })
    } catch {
      // All of it again rather than too little.
      await this.#held.giveBack(mixed)
      return
    }
    await this.#delete(mixed)
  }

  async #delete(messages: readonly HeldMessage[]): Promise<void> {
    this.#hooks.onDeleted(await this.#held.delete(messages))
  }
}
