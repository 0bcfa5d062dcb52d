import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import type { Clock } from '../clock.js'
import { MAX_RECORD_BYTES } from '../limits.js'
import { guarded, type Logger } from '../logger.js'
import { ClaimedFiles } from './claimed-files.js'
import { DirectoryClaims } from './directory-claims.js'
import { targetId } from './file-name.js'
import { errnoOf, nodeFileSystem, type SpillFileSystem } from './file-system.js'
import { Instances } from './instances.js'
import { Inventory } from './inventory.js'
import { byteLength, checkLines } from './lines.js'
import { mergeSmallFiles } from './merging.js'
import { prepareDirectory } from './prepare-directory.js'
import { scan } from './scan.js'
import { type Spill, type SpillClaim, SpillFullError, type SpillStats, type SpillTarget } from './spill.js'
import { UnderWay } from './under-way.js'
import { SpillWriter } from './writer.js'

/** Between two heartbeats, and between two looks at what other processes did. */
const BEAT_MS = 5_000
/** A directory with very many files is looked at less often: at most this share of the time, one in so many. */
const SCAN_SHARE = 20

export interface SpillDirectoryOptions {
  readonly directory: string
  /** Of all files in it, whoever wrote them. */
  readonly maxBytes: number
  readonly clock: Clock
  readonly logger: Logger
  /** @default the disk */
  readonly fs?: SpillFileSystem
}

/**
 * A spill in a directory that several processes may share.
 *
 * @throws Error that names the directory, what is wrong and the fix, where it cannot be made, written or synced.
 */
export async function openSpillDirectory(options: SpillDirectoryOptions): Promise<Spill> {
  const spill = new SpillDirectory(options)
  await spill.open()
  return spill
}

class SpillDirectory implements Spill {
  readonly #directory: string
  readonly #maxBytes: number
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #fs: SpillFileSystem
  readonly #inventory = new Inventory()
  readonly #instances: Instances
  readonly #writer: SpillWriter
  readonly #files: ClaimedFiles
  readonly #claiming: DirectoryClaims
  /** Appends and claims under way. */
  readonly #underWay = new UnderWay()
  #reservedBytes = 0
  #nextScanAt = 0
  #beating: Promise<void> | undefined
  #cancelBeat = () => {}
  #isTroubled = false
  /** The disk did not take the last append, or would not take one. */
  #isRefusing = false
  #isClosed = false

  constructor({ directory, maxBytes, clock, logger, fs = nodeFileSystem }: SpillDirectoryOptions) {
    const id = randomBytes(8).toString('hex')
    this.#directory = resolve(directory)
    this.#maxBytes = maxBytes
    this.#clock = clock
    this.#logger = guarded(logger)
    this.#fs = fs
    this.#instances = new Instances(this.#directory, id, fs, clock)
    this.#writer = new SpillWriter(this.#directory, id, fs, this.#inventory)
    this.#files = new ClaimedFiles(this.#directory, id, fs, this.#inventory, this.#logger)
    this.#claiming = new DirectoryClaims({
      inventory: this.#inventory,
      instances: this.#instances,
      files: this.#files,
      writer: this.#writer,
      logger: this.#logger,
    })
  }

  async open(): Promise<void> {
    await this.#prepare()
    await this.#tick()
    this.#scheduleBeat()
  }

  append(target: SpillTarget, records: readonly Uint8Array[]): Promise<void> {
    return this.#underWay.track(this.#append(target, records))
  }

  claim(target: SpillTarget): Promise<SpillClaim | undefined> {
    return this.#isClosed ? Promise.resolve(undefined) : this.#underWay.track(this.#claiming.claim(target))
  }

  targets(): readonly SpillTarget[] {
    return this.#inventory.targets()
  }

  stats(): SpillStats {
    const { files, records, bytes } = this.#inventory
    const oldest = this.#inventory.oldestTime()
    const oldestAgeMs = oldest === undefined ? undefined : Math.max(0, this.#clock.wallTime() - oldest)
    return { files, records, bytes, oldestAgeMs }
  }

  opened(): Promise<void> {
    return Promise.resolve()
  }

  canTake(): boolean {
    const hasRoom = this.#usedBytes + Math.min(MAX_RECORD_BYTES, this.#maxBytes / 10) <= this.#maxBytes
    return !this.#isClosed && !this.#isRefusing && hasRoom
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancelBeat()
    this.#claiming.stop()
    await Promise.allSettled([this.#underWay.over(), this.#beating])
    await this.#claiming.releaseAll()
    await this.#writer.idle()
    await this.#files.discardLeftovers()
    await this.#instances.leave()
  }

  async #append(target: SpillTarget, records: readonly Uint8Array[]): Promise<void> {
    if (this.#isClosed) throw new Error('The spill is closed')
    targetId(target)
    checkLines(records)
    if (records.length === 0) return
    const bytes = byteLength(records)
    const used = this.#usedBytes
    if (used + bytes > this.#maxBytes) throw new SpillFullError(used, this.#maxBytes)
    this.#reservedBytes += bytes
    try {
      await this.#writer.write({ target, records, time: this.#clock.wallTime() })
      this.#isRefusing = false
    } catch (error) {
      this.#isRefusing = true
      throw error
    } finally {
      this.#reservedBytes -= bytes
    }
  }

  get #usedBytes(): number {
    return this.#inventory.bytes + this.#reservedBytes
  }

  #scheduleBeat(): void {
    this.#cancelBeat = this.#clock.after(BEAT_MS, () => {
      this.#scheduleBeat()
      // A disk that hangs gets one heartbeat to hang on, not one every few seconds.
      this.#beating ??= this.#tick().finally(() => {
        this.#beating = undefined
      })
    })
  }

  async #tick(): Promise<void> {
    const heartbeat = await this.#try(() => this.#instances.beat())
    const look = await this.#try(() => this.#look())
    const error = heartbeat ?? look
    if (error !== undefined && !this.#isTroubled)
      this.#logger.warn(`The spill directory ${this.#directory} gives errors: ${errnoOf(error) ?? error}`)
    this.#isTroubled = error !== undefined
    if (heartbeat !== undefined) this.#isRefusing = true
    // It may have been removed as a whole; and where nobody sends as nothing is kept, only a try tells that it is well.
    if (errnoOf(error) === 'ENOENT' || this.#isRefusing) await this.#try(() => this.#prepare())
  }

  async #look(): Promise<void> {
    await this.#files.discardLeftovers()
    this.#claiming.forgetFailures()
    await mergeSmallFiles(this.#inventory, this.#claiming, this.#clock)
    const start = this.#clock.now()
    if (start < this.#nextScanAt) return
    await scan({
      directory: this.#directory,
      fs: this.#fs,
      inventory: this.#inventory,
      instances: this.#instances,
      writer: this.#writer,
    })
    this.#nextScanAt = start + (this.#clock.now() - start) * SCAN_SHARE
  }

  /** What went wrong, if anything. */
  async #try(step: () => Promise<void>): Promise<unknown> {
    try {
      await step()
      return undefined
    } catch (error) {
      return error
    }
  }

  async #prepare(): Promise<void> {
    const probe = `.probe-${this.#instances.id}`
    const hasRoom = await prepareDirectory(this.#fs, this.#directory, this.#instances.directory, probe)
    if (!hasRoom && !this.#isRefusing)
      this.#logger.warn(
        `The disk of the spill directory ${this.#directory} is full: nothing can be spilled until it has room`,
      )
    this.#isRefusing = !hasRoom
  }
}
