import type { Logger } from '../logger.js'
import type { ClaimedFiles } from './claimed-files.js'
import { type ClaimedFile, DirectoryClaim } from './directory-claim.js'
import { codeWithFix } from './disk-error.js'
import type { Instances } from './instances.js'
import type { Inventory, SpillFile } from './inventory.js'
import { someAtATime } from './some-at-a-time.js'
import type { SpillTarget } from './spill.js'
import { MAX_FILE_BYTES, type SpillWriter } from './writer.js'

/** In one claim, so that many small files (a trickle of appends) drain in full batches. */
const MAX_FILES_IN_CLAIM = 500
const MAX_READS_AT_ONCE = 16

export interface DirectoryClaimsParts {
  readonly inventory: Inventory
  readonly instances: Instances
  readonly files: ClaimedFiles
  readonly writer: SpillWriter
  readonly logger: Logger
}

/** What this process has claimed of a directory. */
export class DirectoryClaims {
  readonly #parts: DirectoryClaimsParts
  readonly #claims = new Set<DirectoryClaim>()
  /** Files that could not be taken, and are not tried again until {@link forgetFailures}. */
  readonly #failed = new Set<SpillFile>()
  /** Those that were told of. */
  readonly #toldOf = new WeakSet<SpillFile>()
  #isStopped = false

  constructor(parts: DirectoryClaimsParts) {
    this.#parts = parts
  }

  /** The oldest files of a target that nobody has, and that are wanted; `undefined` where there are none. */
  async claim(
    target: SpillTarget,
    isWanted: (file: SpillFile) => boolean = () => true,
  ): Promise<DirectoryClaim | undefined> {
    const { files, writer } = this.#parts
    while (!this.#isStopped) {
      const picked = this.#pick(target, isWanted)
      if (picked.length === 0) return undefined
      const claimed = await this.#take(picked)
      if (claimed.length === 0) continue
      const claim = new DirectoryClaim(target, claimed, files, writer, () => this.#claims.delete(claim))
      this.#claims.add(claim)
      return claim
    }
    return undefined
  }

  forgetFailures(): void {
    this.#failed.clear()
  }

  /** Claims nothing more. */
  stop(): void {
    this.#isStopped = true
  }

  async releaseAll(): Promise<void> {
    await Promise.all([...this.#claims].map((claim) => claim.release()))
  }

  /** Takes the oldest free files in hand, as many as make a claim. */
  #pick(target: SpillTarget, isWanted: (file: SpillFile) => boolean): SpillFile[] {
    const { inventory, instances } = this.#parts
    const picked: SpillFile[] = []
    let bytes = 0
    for (const file of inventory.oldestFirst(target)) {
      const isHeld = file.holder !== undefined && instances.isOtherAlive(file.holder)
      if (file.inHand || isHeld || this.#failed.has(file) || !isWanted(file)) continue
      bytes += file.bytes
      if (picked.length > 0 && (bytes > MAX_FILE_BYTES || picked.length >= MAX_FILES_IN_CLAIM)) break
      file.inHand = true
      picked.push(file)
    }
    return picked
  }

  async #take(picked: readonly SpillFile[]): Promise<ClaimedFile[]> {
    const taken = await someAtATime(picked, MAX_READS_AT_ONCE, async (file) => ({
      file,
      records: await this.#takeOne(file),
    }))
    return taken.filter(({ records }) => records.length > 0)
  }

  async #takeOne(file: SpillFile): Promise<readonly Uint8Array[]> {
    const { files, logger } = this.#parts
    try {
      return (await files.take(file)) ? await files.read(file) : []
    } catch (error) {
      if (!this.#toldOf.has(file))
        logger.warn(`${file.base} could not be taken from the spill: ${codeWithFix(error)}`)
      this.#toldOf.add(file)
      this.#failed.add(file)
      await files.giveBack(file)
      return []
    }
  }
}
