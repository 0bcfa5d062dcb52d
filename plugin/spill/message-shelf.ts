import { targetId } from './file-name.js'
import type { HeldMessage } from './held-messages.js'
import type { SpillTarget } from './spill.js'

/** One receive may bring another 10 MiB. */
const MAX_BYTES = 16 * 1024 * 1024
/** Each ten cost a call every half minute. */
const MAX_MESSAGES = 500

/** A queue cannot be asked for the messages of one target: those of others that come along wait here meanwhile. */
export class MessageShelf {
  readonly #messages = new Set<HeldMessage>()
  #bytes = 0

  get isFull(): boolean {
    return this.#bytes >= MAX_BYTES || this.#messages.size >= MAX_MESSAGES
  }

  get isHalfFull(): boolean {
    return this.#bytes >= MAX_BYTES / 2 || this.#messages.size >= MAX_MESSAGES / 2
  }

  all(): HeldMessage[] {
    return [...this.#messages]
  }

  add(message: HeldMessage): void {
    this.#messages.add(message)
    this.#bytes += message.bytes
  }

  remove(message: HeldMessage): void {
    if (this.#messages.delete(message)) this.#bytes -= message.bytes
  }

  /** Removes what has been here longest. */
  removeLongest(): void {
    const [longest] = this.#messages
    if (longest) this.remove(longest)
  }

  /** The oldest messages of a target, as many as have room, and one at least if there is one. */
  take(target: SpillTarget, maxBytes: number): HeldMessage[] {
    const id = targetId(target)
    const taken: HeldMessage[] = []
    let bytes = 0
    for (const message of this.all().sort((a, b) => a.time - b.time)) {
      if (targetId(message.target) !== id) continue
      bytes += message.bytes
      if (taken.length > 0 && bytes > maxBytes) break
      taken.push(message)
    }
    for (const message of taken) this.remove(message)
    return taken
  }
}
