import {
  type DeadLetter,
  DeadLetterShareError,
  type DeadLetterStore,
  type DeadLetterUsage,
} from './dead-letter.js'
import { DeadLetterCount } from './dead-letter-count.js'
import { DEFAULT_MAX_BYTES } from './dead-letter-files.js'
import { toLine } from './letter-line.js'

export interface DeadLetterSharesOptions {
  /** Keeps the letters, in files of one directory. */
  readonly store: DeadLetterStore & { readonly directory: string }
  /** What the directory may hold, in bytes. @default that of `DeadLetterFiles` */
  readonly maxBytes?: number
}

/**
 * Dead letters of many sources in one directory, in which none takes the room of the others: a source may hold as much
 * as it leaves free. Alone it may hold half of all there may be, two may hold a third each, and so on; there is always
 * room left for one more. Events of no known source count as one source.
 *
 * SECURITY: whoever has one write key, as every browser has, can send events that become dead letters.
 */
export class DeadLetterShares implements DeadLetterStore {
  readonly #store: DeadLetterStore
  readonly #count: DeadLetterCount
  readonly #maxBytes: number
  /** What is being written, and may not be in the count. */
  readonly #underWay = new Set<DeadLetterUsage>()
  #isLooking = false

  constructor({ store, maxBytes = DEFAULT_MAX_BYTES }: DeadLetterSharesOptions) {
    this.#store = store
    this.#count = new DeadLetterCount(store.directory)
    this.#maxBytes = maxBytes
  }

  /** @throws DeadLetterShareError where a source of the letters has used up its share, and what the store throws */
  async write(letters: readonly DeadLetter[]): Promise<void> {
    if (letters.length === 0) return
    await this.#count.count()
    const own = sizesOf(letters)
    this.#check(own)
    this.#underWay.add(own)
    try {
      await this.#store.write(letters)
    } finally {
      // Only a count that begins now is sure to have it. Until then it counts twice, perhaps.
      void this.#recount().then(() => this.#underWay.delete(own))
    }
  }

  /** As counted last. Starts another count, so that who asks again and again learns of files that were moved away. */
  usage(): DeadLetterUsage {
    if (!this.#isLooking) void this.#look()
    return this.#count.usage
  }

  async #look(): Promise<void> {
    this.#isLooking = true
    await this.#recount()
    this.#isLooking = false
  }

  async #recount(): Promise<void> {
    // A directory that cannot be read is told of where something is to be written to it.
    await this.#count.count().catch(() => {})
  }

  #check(own: DeadLetterUsage): void {
    const all = [this.#count.usage, ...this.#underWay]
    const bytes = all.reduce((sum, it) => sum + it.bytes, own.bytes)
    // Where there is no room at all the store says so.
    const free = Math.max(0, this.#maxBytes - bytes)
    for (const [source, more] of own.bySource) {
      const before = all.reduce((sum, { bySource }) => sum + (bySource.get(source) ?? 0), 0)
      if (before > 0 && before + more > free) throw new DeadLetterShareError(source)
    }
  }
}

function sizesOf(letters: readonly DeadLetter[]): DeadLetterUsage {
  let bytes = 0
  const bySource = new Map<string | null, number>()
  for (const letter of letters) {
    const size = Buffer.byteLength(toLine(letter))
    bytes += size
    bySource.set(letter.source, (bySource.get(letter.source) ?? 0) + size)
  }
  return { bytes, bySource }
}
