import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import type { Clock } from '../clock.js'
import { MAX_RECORD_BYTES } from '../limits.js'
import { guarded, type Logger } from '../logger.js'
import { ClaimedFiles } from './claimed-files.js'
import { DirectoryClaims } from './directory-claims.js'
import { DirectoryWatch } from './directory-watch.js'
import { targetId } from './file-name.js'
import { nodeFileSystem, type SpillFileSystem } from './file-system.js'
import { Instances } from './instances.js'
import { Inventory } from './inventory.js'
import { byteLength, checkLines } from './lines.js'
import { type Spill, type SpillClaim, SpillFullError, type SpillStats, type SpillTarget } from './spill.js'
import { UnderWay } from './under-way.js'
import { SpillWriter } from './writer.js'

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
 * @throws the system's error, where it cannot be made, written or synced.
 */
export async function openSpillDirectory(options: SpillDirectoryOptions): Promise<Spill> {
  const spill = new SpillDirectory(options)
  await spill.open()
  return spill
}

class SpillDirectory implements Spill {
  readonly #maxBytes: number
  readonly #clock: Clock
  readonly #inventory = new Inventory()
  readonly #instances: Instances
  readonly #writer: SpillWriter
  readonly #files: ClaimedFiles
  readonly #claims: DirectoryClaims
  readonly #watch: DirectoryWatch
  /** Appends and claims under way. */
  readonly #underWay = new UnderWay()
  #reservedBytes = 0
  #isClosed = false

  constructor({ directory, maxBytes, clock, logger, fs = nodeFileSystem }: SpillDirectoryOptions) {
    const id = randomBytes(8).toString('hex')
    const root = resolve(directory)
    const guardedLogger = guarded(logger)
    this.#maxBytes = maxBytes
    this.#clock = clock
    this.#instances = new Instances(root, id, fs, clock)
    this.#writer = new SpillWriter(root, id, fs, this.#inventory)
    this.#files = new ClaimedFiles(root, id, fs, this.#inventory, guardedLogger)
    const parts = {
      inventory: this.#inventory,
      instances: this.#instances,
      files: this.#files,
      writer: this.#writer,
      logger: guardedLogger,
    }
    this.#claims = new DirectoryClaims(parts)
    this.#watch = new DirectoryWatch({
      ...parts,
      directory: root,
      fs,
      clock,
      claims: this.#claims,
      hasRoom: () => this.#hasRoom,
    })
  }

  open(): Promise<void> {
    return this.#watch.start()
  }

  append(target: SpillTarget, records: readonly Uint8Array[]): Promise<void> {
    return this.#underWay.track(this.#append(target, records))
  }

  claim(target: SpillTarget): Promise<SpillClaim | undefined> {
    return this.#isClosed ? Promise.resolve(undefined) : this.#underWay.track(this.#claims.claim(target))
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
    return !this.#isClosed && !this.#watch.isRefusing && this.#hasRoom
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#claims.stop()
    await Promise.allSettled([this.#underWay.over(), this.#watch.stop()])
    await this.#claims.releaseAll()
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
    if (used + bytes > this.#maxBytes) {
      this.#watch.noteFull(this.#maxBytes)
      throw new SpillFullError(used, this.#maxBytes)
    }
    this.#reservedBytes += bytes
    try {
      await this.#writer.write({ target, records, time: this.#clock.wallTime() })
      this.#watch.noteTaken()
    } catch (error) {
      this.#watch.noteRefused(error)
      throw error
    } finally {
      this.#reservedBytes -= bytes
    }
  }

  /** Whether a record of common size fits. */
  get #hasRoom(): boolean {
    return this.#usedBytes + Math.min(MAX_RECORD_BYTES, this.#maxBytes / 10) <= this.#maxBytes
  }

  get #usedBytes(): number {
    return this.#inventory.bytes + this.#reservedBytes
  }
}
