import type { ClaimedFiles } from './claimed-files.js'
import type { SpillFile } from './inventory.js'
import type { SpillClaim, SpillTarget } from './spill.js'
import type { SpillWriter } from './writer.js'

/** A claimed file and its records. */
export interface ClaimedFile {
  readonly file: SpillFile
  readonly records: readonly Uint8Array[]
}

/** Claimed files, as one row of records. */
export class DirectoryClaim implements SpillClaim {
  readonly target: SpillTarget
  readonly records: readonly Uint8Array[]
  readonly #claimed: readonly ClaimedFile[]
  readonly #files: ClaimedFiles
  readonly #writer: SpillWriter
  readonly #onEnd: () => void
  #end: Promise<void> | undefined

  constructor(
    target: SpillTarget,
    claimed: readonly ClaimedFile[],
    files: ClaimedFiles,
    writer: SpillWriter,
    onEnd: () => void,
  ) {
    this.target = target
    this.records = claimed.flatMap(({ records }) => records)
    this.#claimed = claimed
    this.#files = files
    this.#writer = writer
    this.#onEnd = onEnd
  }

  done(): Promise<void> {
    return this.release([])
  }

  release(left: readonly number[] = [...this.records.keys()]): Promise<void> {
    this.#end ??= this.#release(new Set(left)).finally(this.#onEnd)
    return this.#end
  }

  /** Makes one file of all, and gives that back. Never rejects: at worst all stay as they are. */
  merge(): Promise<void> {
    this.#end ??= this.#rewrite(this.#claimed).finally(this.#onEnd)
    return this.#end
  }

  async #release(left: ReadonlySet<number>): Promise<void> {
    const mixed: ClaimedFile[] = []
    const steps: Promise<void>[] = []
    let first = 0
    for (const { file, records: all } of this.#claimed) {
      const start = first
      first += all.length
      const records = all.filter((_, index) => left.has(start + index))
      if (records.length === 0) steps.push(this.#files.discard(file))
      else if (records.length === all.length) steps.push(this.#files.giveBack(file))
      else mixed.push({ file, records })
    }
    if (mixed.length > 0) steps.push(this.#rewrite(mixed))
    await Promise.all(steps)
  }

  /** What is left of several files becomes one, durable before the old ones go. */
  async #rewrite(mixed: readonly ClaimedFile[]): Promise<void> {
    const records = mixed.flatMap((one) => one.records)
    const time = Math.min(...mixed.map(({ file }) => file.name.time))
    try {
      await this.#writer.write({ target: this.target, records, time })
    } catch {
      // No room for the copy: all of it again rather than too little.
      await Promise.all(mixed.map(({ file }) => this.#files.giveBack(file)))
      return
    }
    await Promise.all(mixed.map(({ file }) => this.#files.discard(file)))
  }
}
