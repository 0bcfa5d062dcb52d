import type { Spill, SpillClaim, SpillStats, SpillTarget } from './spill.js'

const NOTHING: SpillStats = { files: 0, records: 0, bytes: 0, oldestAgeMs: undefined }

/** A spill that is still being opened: who appends or claims waits for it. */
export class OpeningSpill implements Spill {
  readonly #opened: Promise<Spill>
  #open: Spill | undefined

  /** @param opened - rejects where it cannot be opened; then nothing is ever kept, and whoever appends is told why */
  constructor(opened: Promise<Spill>) {
    this.#opened = opened
    opened.then(
      (spill) => {
        this.#open = spill
      },
      () => {},
    )
  }

  async append(target: SpillTarget, records: readonly Uint8Array[]): Promise<void> {
    await (await this.#opened).append(target, records)
  }

  async claim(target: SpillTarget): Promise<SpillClaim | undefined> {
    return (await this.#opened).claim(target)
  }

  targets(): readonly SpillTarget[] {
    return this.#open?.targets() ?? []
  }

  stats(): SpillStats {
    return this.#open?.stats() ?? NOTHING
  }

  async close(): Promise<void> {
    const spill = await this.#opened.catch(() => undefined)
    await spill?.close()
  }
}
