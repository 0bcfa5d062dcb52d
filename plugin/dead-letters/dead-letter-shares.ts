import { SLICE_BYTES, type Slices } from '../slices.js'
import { turns } from '../turns.js'
import {
  type DeadLetter,
  DeadLetterShareError,
  type DeadLetterStore,
  type DeadLetterUsage,
} from './dead-letter.js'
import { DeadLetterCount } from './dead-letter-count.js'
import { DEFAULT_MAX_BYTES } from './dead-letter-files.js'
import { lineSize } from './letter-line.js'

export interface DeadLetterSharesOptions {
  /** Keeps the letters, in files of one directory. */
  readonly store: DeadLetterStore & { readonly directory: string }
  /** Bytes that the directory may hold. @default that of `DeadLetterFiles` */
  readonly maxBytes?: number
}

/**
 * Keeps the dead letters of many sources in one directory, and lets no source take the room of the others: a source may
 * hold as much as it leaves free. A source alone may hold half of `maxBytes`, two may hold a third each, and so on, so
 * that there is always room for one more. Events of no known source count as one source.
 *
 * SECURITY: every browser has a write key, and whoever has one can send events that become dead letters.
 */
export class DeadLetterShares implements DeadLetterStore {
  readonly #store: DeadLetterStore
  readonly #count: DeadLetterCount
  readonly #maxBytes: number
  /** Writes that the last count may not include. */
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
    const own = await turns.run(sizesOf(letters), letters.length * LETTER_COST)
    await this.#count.count()
    this.#check(own)
    this.#underWay.add(own)
    try {
      await this.#store.write(letters)
    } finally {
      // Only a count that begins now is sure to include this write. Until it ends, the write may count twice.
      void this.#recount().then(() => this.#underWay.delete(own))
    }
  }

  /** The last count. Each call starts another one, so that a caller who polls sees when files are moved away. */
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
    // The next write reports a directory that cannot be read.
    await this.#count.count().catch(() => {})
  }

  #check(own: DeadLetterUsage): void {
    const all = [this.#count.usage, ...this.#underWay]
    const bytes = all.reduce((sum, it) => sum + it.bytes, own.bytes)
    // The store itself refuses what does not fit in the directory at all.
    const free = Math.max(0, this.#maxBytes - bytes)
    for (const [source, more] of own.bySource) {
      const before = all.reduce((sum, { bySource }) => sum + (bySource.get(source) ?? 0), 0)
      if (before > 0 && before + more > free) throw new DeadLetterShareError(source)
    }
  }
}

/** What the size of a letter costs to find out, in bytes that are copied meanwhile: for slices that take about as long. */
const LETTER_COST = 4 * 1024

function* sizesOf(letters: readonly DeadLetter[]): Slices<DeadLetterUsage> {
  let bytes = 0
  let cost = 0
  const bySource = new Map<string | null, number>()
  for (const letter of letters) {
    if (cost > SLICE_BYTES) {
      cost = 0
      yield
    }
    const size = lineSize(letter)
    cost += LETTER_COST
    bytes += size
    bySource.set(letter.source, (bySource.get(letter.source) ?? 0) + size)
  }
  return { bytes, bySource }
}
