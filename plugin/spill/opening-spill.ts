import type { Clock } from '../clock.js'
import type { Logger } from '../logger.js'
import { errnoOf, withFix } from './disk-error.js'
import type { Spill, SpillClaim, SpillStats, SpillTarget } from './spill.js'

const NOTHING: SpillStats = { files: 0, records: 0, bytes: 0, oldestAgeMs: undefined }
const RETRY_MS = 5_000

export interface OpeningSpillOptions {
  /** Rejects where it cannot be opened for now. */
  readonly open: () => Promise<Spill>
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * A spill that is still being opened: who appends or claims waits for it, or is told why it could not be opened. It is
 * tried until it can: what earlier processes left in it was acknowledged, and goes out only through a spill that is open.
 */
export class OpeningSpill implements Spill {
  readonly #options: OpeningSpillOptions
  #attempt: Promise<Spill>
  #open: Spill | undefined
  readonly #opened: Promise<void>
  #noteOpened = () => {}
  /** What was logged of the last try that failed; `undefined` where none has failed. */
  #logged: string | undefined
  #isClosed = false
  #cancelRetry = () => {}

  constructor(options: OpeningSpillOptions) {
    this.#options = options
    this.#opened = new Promise((resolve) => {
      this.#noteOpened = resolve
    })
    this.#attempt = this.#try()
  }

  async append(target: SpillTarget, records: readonly Uint8Array[]): Promise<void> {
    await (await this.#attempt).append(target, records)
  }

  async claim(target: SpillTarget): Promise<SpillClaim | undefined> {
    return (await this.#attempt).claim(target)
  }

  targets(): readonly SpillTarget[] {
    return this.#open?.targets() ?? []
  }

  stats(): SpillStats {
    return this.#open?.stats() ?? NOTHING
  }

  opened(): Promise<void> {
    return this.#opened
  }

  canTake(): boolean {
    return this.#open?.canTake() ?? false
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancelRetry()
    const spill = await this.#attempt.catch(() => undefined)
    await spill?.close()
  }

  #try(): Promise<Spill> {
    const attempt = this.#options.open()
    attempt.then(
      (spill) => {
        this.#open = spill
        this.#noteOpened()
        if (this.#logged !== undefined) this.#options.logger.info('The spill is open')
      },
      (error) => this.#retry(error),
    )
    return attempt
  }

  #retry(error: Error): void {
    const { clock, logger } = this.#options
    const errno = errnoOf(error)
    // By its code, as the message of a disk's error names a file of another name each time.
    const cause = errno ?? error.message
    if (cause !== this.#logged) {
      const why = errno === undefined ? error.message : withFix(error)
      logger.error(`The spill cannot be opened: ${why}; it is tried again every ${RETRY_MS / 1_000} s`)
    }
    this.#logged = cause
    if (this.#isClosed) return
    this.#cancelRetry = clock.after(RETRY_MS, () => {
      this.#attempt = this.#try()
    })
  }
}
