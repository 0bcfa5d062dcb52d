import { join } from 'node:path'
import type { Logger } from '../logger.js'
import { codeWithFix, errnoOf } from './disk-error.js'
import { claimedName, temporaryName, tornName } from './file-name.js'
import { removeIfPossible, type SpillFileSystem, writeSynced } from './file-system.js'
import type { Inventory, SpillFile } from './inventory.js'
import { splitLines } from './lines.js'

/**
 * Takes files for this process alone, by the one step that is atomic for all who use a directory: a rename to
 * `<file>.claimed-<instance>`, which fails for all but the first.
 *
 * None of its steps is synced: where a power cut undoes one, a file is free again or there again, and its records are
 * delivered twice at worst.
 */
export class ClaimedFiles {
  readonly #directory: string
  readonly #instance: string
  readonly #fs: SpillFileSystem
  readonly #inventory: Inventory
  readonly #logger: Logger
  /** Delivered files that could not be removed yet. */
  readonly #delivered = new Set<SpillFile>()

  constructor(
    directory: string,
    instance: string,
    fs: SpillFileSystem,
    inventory: Inventory,
    logger: Logger,
  ) {
    this.#directory = directory
    this.#instance = instance
    this.#fs = fs
    this.#inventory = inventory
    this.#logger = logger
  }

  /** Takes a file that is in hand already; `false` where another process was faster. */
  async take(file: SpillFile): Promise<boolean> {
    if (file.holder === this.#instance) return true
    const from = file.holder === undefined ? file.base : claimedName(file.base, file.holder)
    if (!(await this.#isThere(file, () => this.#fs.rename(this.#path(from), this.#claimedPath(file)))))
      return false
    file.holder = this.#instance
    return true
  }

  /** The records of a file that was taken. What is torn of it is moved aside and reported. */
  async read(file: SpillFile): Promise<readonly Uint8Array[]> {
    const path = this.#claimedPath(file)
    let bytes: Uint8Array = new Uint8Array()
    const read = async () => {
      bytes = await this.#fs.read(path)
    }
    if (!(await this.#isThere(file, read))) return []
    const { lines, rest } = splitLines(bytes)
    const missing = file.name.count - lines.length
    if (missing > 0 || rest.length > 0) {
      this.#logger.error(
        `${file.base} in the spill is torn: ${lines.length} of ${file.name.count} records are whole; ` +
          `the remaining ${rest.length} bytes are kept in ${tornName(file.base)}`,
      )
      if (lines.length === 0) await this.#isThere(file, () => this.#setAside(file))
      else await this.#keepRest(file, rest)
    }
    if (lines.length === 0) this.#inventory.drop(file)
    return lines
  }

  /** Makes a file free for all; where that fails it stays claimed, for this process to take again. */
  async giveBack(file: SpillFile): Promise<void> {
    try {
      const rename = () => this.#fs.rename(this.#claimedPath(file), this.#path(file.base))
      if (file.holder === this.#instance && (await this.#isThere(file, rename))) file.holder = undefined
    } catch (error) {
      this.#logger.warn(`${file.base} could not be given back to the spill: ${codeWithFix(error)}`)
    } finally {
      file.inHand = false
    }
  }

  /** Removes a file whose records are delivered, now or when the disk allows. */
  async discard(file: SpillFile): Promise<void> {
    try {
      await this.#isThere(file, () => this.#fs.remove(this.#claimedPath(file)))
      this.#inventory.drop(file)
      this.#delivered.delete(file)
    } catch (error) {
      if (!this.#delivered.has(file))
        this.#logger.warn(
          `${file.base} is delivered but could not be removed from the spill: ${codeWithFix(error)}. ` +
            'It is tried again; a restart before that would deliver it twice',
        )
      this.#delivered.add(file)
    }
  }

  async discardLeftovers(): Promise<void> {
    for (const file of this.#delivered) await this.discard(file)
  }

  async #setAside(file: SpillFile): Promise<void> {
    await this.#fs.rename(this.#claimedPath(file), this.#path(tornName(file.base)))
  }

  /** Durable before the file can be removed, which is when its whole lines are delivered. */
  async #keepRest(file: SpillFile, rest: Uint8Array): Promise<void> {
    if (rest.length === 0) return
    const temporary = this.#path(temporaryName(file.base, this.#instance))
    try {
      await writeSynced(this.#fs, temporary, rest)
      await this.#fs.rename(temporary, this.#path(tornName(file.base)))
    } catch (error) {
      await removeIfPossible(this.#fs, temporary)
      throw error
    }
    await this.#fs.syncDirectory(this.#directory)
  }

  /** Does a step; `false`, and the file is forgotten, where the file is not there any more. */
  async #isThere(file: SpillFile, step: () => Promise<void>): Promise<boolean> {
    try {
      await step()
      return true
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error
      this.#inventory.drop(file)
      return false
    }
  }

  #claimedPath(file: SpillFile): string {
    return this.#path(claimedName(file.base, this.#instance))
  }

  #path(name: string): string {
    return join(this.#directory, name)
  }
}
