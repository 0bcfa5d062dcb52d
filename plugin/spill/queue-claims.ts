import { targetId } from './file-name.js'
import type { HeldMessage, HeldMessages } from './held-messages.js'
import { QueueClaim } from './queue-claim.js'
import type { QueueInbox } from './queue-inbox.js'
import type { QueueLevel } from './queue-level.js'
import type { QueueWriter } from './queue-writer.js'
import type { SpillClaim, SpillTarget } from './spill.js'

/** A claim looks no further than so many receives; what it put aside meanwhile is out of the way of the next. */
const MAX_RECEIVES = 20

export interface QueueClaimsParts {
  readonly queueUrl: string
  readonly held: HeldMessages
  readonly inbox: QueueInbox
  readonly level: QueueLevel
  readonly writer: QueueWriter
  /** How long an empty queue is listened to, in seconds. */
  readonly waitSeconds: number
}

/** What this process has claimed of a queue, and for which targets it has seen records there. */
export class QueueClaims {
  readonly #parts: QueueClaimsParts
  readonly #claims = new Set<QueueClaim>()
  /** By their ids: SQS can tell how much there is, and not for whom. */
  readonly #targets = new Map<string, SpillTarget>()
  /** Ids of targets that were ever claimed here. */
  readonly #wanted = new Set<string>()
  #appends = 0
  #isStopped = false

  constructor(parts: QueueClaimsParts) {
    this.#parts = parts
  }

  /** Targets that records were seen for, claimed ones included. */
  get targets(): readonly SpillTarget[] {
    return [...this.#targets.values()]
  }

  /** The messages that are claimed now. */
  get messages(): readonly HeldMessage[] {
    return [...this.#claims].flatMap(({ messages }) => messages)
  }

  /** Whether anyone here has ever claimed the target's records: who has no destination for them never does. */
  isWanted(target: SpillTarget): boolean {
    return this.#wanted.has(targetId(target))
  }

  /** Records for the target came from the queue. */
  noteReceived(target: SpillTarget): void {
    this.#targets.set(targetId(target), target)
  }

  /** Records for the target went into the queue: a receive that began before may not have seen them. */
  noteAppended(target: SpillTarget): void {
    this.#appends++
    this.#targets.set(targetId(target), target)
  }

  /**
   * The oldest messages of a target that this process holds or receives; `undefined` where there are none.
   *
   * @throws Error while too many that were delivered cannot be deleted
   */
  async claim(target: SpillTarget): Promise<SpillClaim | undefined> {
    const { queueUrl, held, inbox, waitSeconds } = this.#parts
    this.#wanted.add(targetId(target))
    if (held.isBehind)
      throw new Error(
        `Too many delivered messages cannot be deleted from the spill queue ${queueUrl}: no more are taken ` +
          'from it until they can. Allow sqs:DeleteMessage on it',
      )
    for (let receives = 0; !this.#isStopped; receives++) {
      const messages = inbox.take(target)
      if (messages.length > 0) return this.#claimOf(target, messages)
      if (receives === MAX_RECEIVES) return undefined
      const appends = this.#appends
      const received = await inbox.receive(waitSeconds)
      if (received === 0 && appends === this.#appends) this.#forget(target)
      if (!received) return undefined
    }
    return undefined
  }

  /** Claims nothing more. */
  stop(): void {
    this.#isStopped = true
  }

  async releaseAll(): Promise<void> {
    await Promise.all([...this.#claims].map((claim) => claim.release()))
  }

  /** Until it is seen again: nothing of it is to be had. */
  #forget(target: SpillTarget): void {
    const id = targetId(target)
    const isClaimed = [...this.#claims].some((claim) => targetId(claim.target) === id)
    if (!isClaimed) this.#targets.delete(id)
  }

  #claimOf(target: SpillTarget, messages: readonly HeldMessage[]): SpillClaim {
    const { held, level, writer } = this.#parts
    const claim = new QueueClaim(target, messages, held, {
      write: (parcel) => writer.write(parcel),
      onDeleted: (messages) => level.deleted(messages),
      onEnd: () => this.#claims.delete(claim),
    })
    this.#claims.add(claim)
    return claim
  }
}
