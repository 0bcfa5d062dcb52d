import type { Clock } from '../clock.js'
import type { Logger } from '../logger.js'
import type { ClaimedFiles } from './claimed-files.js'
import type { DirectoryClaims } from './directory-claims.js'
import { errnoOf, type SpillFileSystem } from './file-system.js'
import type { Instances } from './instances.js'
import type { Inventory } from './inventory.js'
import { mergeSmallFiles } from './merging.js'
import { prepareDirectory } from './prepare-directory.js'
import { scan } from './scan.js'
import type { SpillWriter } from './writer.js'

/** Between two heartbeats, and between two looks at what other processes did. */
const BEAT_MS = 5_000
/** Scans take one part in so many of the time at most: a directory with very many files is looked at less often. */
const SCAN_SHARE = 20

export interface DirectoryWatchParts {
  readonly directory: string
  readonly fs: SpillFileSystem
  readonly inventory: Inventory
  readonly instances: Instances
  readonly files: ClaimedFiles
  readonly claims: DirectoryClaims
  readonly writer: SpillWriter
  readonly clock: Clock
  readonly logger: Logger
}

/** Shows other processes that this one lives, looks at what they did, and knows whether the disk takes appends. */
export class DirectoryWatch {
  readonly #parts: DirectoryWatchParts
  #nextScanAt = 0
  #beating: Promise<void> | undefined
  #cancelBeat = () => {}
  #isTroubled = false
  #isRefusing = false

  constructor(parts: DirectoryWatchParts) {
    this.#parts = parts
  }

  /** Whether the disk did not take the last append, or would not take one. */
  get isRefusing(): boolean {
    return this.#isRefusing
  }

  /**
   * Makes the directory, looks at what is in it, and goes on looking.
   *
   * @throws the system's error, where it cannot be made, written or synced
   */
  async start(): Promise<void> {
    await this.#prepare()
    await this.#tick()
    this.#scheduleBeat()
  }

  /** Tells how an append came out. */
  noteAppend({ isTaken }: { readonly isTaken: boolean }): void {
    this.#isRefusing = !isTaken
  }

  /** Begins no other look. Resolves when the one under way is over. */
  async stop(): Promise<void> {
    this.#cancelBeat()
    await this.#beating
  }

  #scheduleBeat(): void {
    this.#cancelBeat = this.#parts.clock.after(BEAT_MS, () => {
      this.#scheduleBeat()
      // A disk that hangs gets one heartbeat to hang on, not one every few seconds.
      this.#beating ??= this.#tick().finally(() => {
        this.#beating = undefined
      })
    })
  }

  async #tick(): Promise<void> {
    const { directory, instances, logger } = this.#parts
    const heartbeat = await errorOf(() => instances.beat())
    const look = await errorOf(() => this.#look())
    const error = heartbeat ?? look
    if (error !== undefined && !this.#isTroubled)
      logger.warn(`The spill directory ${directory} gives errors: ${errnoOf(error) ?? error}`)
    this.#isTroubled = error !== undefined
    if (heartbeat !== undefined) this.#isRefusing = true
    // It may have been removed as a whole; and where nobody sends as nothing is kept, only a try tells that it is well.
    if (errnoOf(error) === 'ENOENT' || this.#isRefusing) await errorOf(() => this.#prepare())
  }

  async #look(): Promise<void> {
    const { directory, fs, inventory, instances, files, claims, writer, clock } = this.#parts
    await files.discardLeftovers()
    claims.forgetFailures()
    await mergeSmallFiles(inventory, claims, clock)
    const start = clock.now()
    if (start < this.#nextScanAt) return
    await scan({ directory, fs, inventory, instances, writer })
    this.#nextScanAt = start + (clock.now() - start) * SCAN_SHARE
  }

  async #prepare(): Promise<void> {
    const { directory, fs, instances, logger } = this.#parts
    const probe = `.probe-${instances.id}`
    const hasRoom = await prepareDirectory(fs, directory, instances.directory, probe)
    if (!hasRoom && !this.#isRefusing)
      logger.warn(
        `The disk of the spill directory ${directory} is full: nothing can be spilled until it has room`,
      )
    this.#isRefusing = !hasRoom
  }
}

/** What went wrong, if anything. */
async function errorOf(step: () => Promise<void>): Promise<unknown> {
  try {
    await step()
    return undefined
  } catch (error) {
    return error
  }
}
