import type { Clock } from '../clock.js'
import type { Logger } from '../logger.js'
import type { ClaimedFiles } from './claimed-files.js'
import type { DirectoryClaims } from './directory-claims.js'
import { errnoOf, isDiskFull, withFix } from './disk-error.js'
import { DurableDirectory } from './durable-directory.js'
import type { SpillFileSystem } from './file-system.js'
import type { Instances } from './instances.js'
import type { Inventory } from './inventory.js'
import { mergeSmallFiles } from './merging.js'
import { tryAppend } from './probe.js'
import { scan } from './scan.js'
import { TroubleLog } from './trouble-log.js'
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
  /** Whether what is in the directory leaves room for more, by `maxBytes`. */
  readonly hasRoom: () => boolean
}

/** Shows other processes that this one lives, looks at what they did, and knows whether the disk takes appends. */
export class DirectoryWatch {
  readonly #parts: DirectoryWatchParts
  #nextScanAt = 0
  #beating: Promise<void> | undefined
  #cancelBeat = () => {}
  #isRefusing = false
  readonly #root: DurableDirectory
  readonly #trouble: TroubleLog

  constructor(parts: DirectoryWatchParts) {
    this.#parts = parts
    this.#root = new DurableDirectory(parts.fs, parts.directory)
    this.#trouble = new TroubleLog(parts.logger, parts.clock)
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

  /** The disk took an append. */
  noteTaken(): void {
    this.#isRefusing = false
    this.#noteWell()
  }

  /** The disk did not take an append. */
  noteRefused(error: unknown): void {
    this.#isRefusing = true
    this.#noteRefusal(error)
  }

  /** An append would have exceeded `maxBytes`, which says nothing of the disk. */
  noteFull(maxBytes: number): void {
    this.#trouble.note(
      'maxBytes',
      `The spill directory ${this.#parts.directory} has no room left, of ${maxBytes} bytes: records fail that cannot ` +
        'be delivered. It empties itself when its streams take records again; raise maxBytes for longer outages',
    )
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
    const { directory, instances } = this.#parts
    const heartbeat = await errorOf(() => instances.beat())
    const look = await errorOf(() => this.#look())
    const error = heartbeat ?? look
    if (heartbeat !== undefined) this.#isRefusing = true
    // The directory may have been removed as a whole. And while senders wait, only a try shows that the disk is well.
    const isTried = errnoOf(error) === 'ENOENT' || this.#isRefusing
    const refusal = isTried ? await errorOf(() => this.#prepare()) : undefined
    if (refusal !== undefined) this.#noteRefusal(refusal)
    else if (error !== undefined && !isTried)
      this.#trouble.note(
        errnoOf(error) ?? 'other',
        `The spill directory ${directory} gives errors: ${withFix(error)}`,
      )
    else if (!this.#isRefusing) this.#noteWell()
  }

  async #look(): Promise<void> {
    const { directory, fs, inventory, instances, files, claims, writer, clock } = this.#parts
    await files.discardLeftovers()
    claims.forgetFailures()
    await mergeSmallFiles(inventory, claims, clock)
    const start = clock.now()
    if (start < this.#nextScanAt) return
    await scan({ directory, fs, inventory, instances, writer, clock })
    this.#nextScanAt = start + (clock.now() - start) * SCAN_SHARE
  }

  /** Makes the directory where it is gone, and tries an append. A full disk is noted, and all else thrown. */
  async #prepare(): Promise<void> {
    const { directory, fs, instances } = this.#parts
    try {
      await this.#root.make()
      await fs.makeDirectory(instances.directory)
      await tryAppend(fs, directory)
      this.#isRefusing = false
    } catch (error) {
      this.#isRefusing = true
      // What is in the spill can be delivered all the same, which makes room.
      if (!isDiskFull(error)) throw error
      this.#noteRefusal(error)
    }
  }

  #noteRefusal(error: unknown): void {
    const { directory } = this.#parts
    this.#trouble.note(
      errnoOf(error) ?? 'other',
      isDiskFull(error)
        ? `The disk of the spill directory ${directory} is full: records fail that cannot be delivered, until it has room`
        : `The spill directory ${directory} takes no records, so that those fail that cannot be delivered: ${withFix(error)}`,
    )
  }

  #noteWell(): void {
    if (this.#parts.hasRoom())
      this.#trouble.over(`The spill directory ${this.#parts.directory} takes records again`)
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
