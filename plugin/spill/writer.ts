import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { temporaryName } from './file-name.js'
import { removeIfPossible, type SpillFileSystem, writeSynced } from './file-system.js'
import { GroupCommit, type Waiting } from './group-commit.js'
import { type Inventory, SpillFile } from './inventory.js'
import { byteLength } from './lines.js'
import { oldestTime, type Pack, type Parcel, pack } from './packing.js'
import { someAtATime } from './some-at-a-time.js'

/** A claim reads whole files: this bounds the memory it takes. */
export const MAX_FILE_BYTES = 8 * 1024 * 1024

/** Each has its file open, and its bytes twice in memory. */
const MAX_PACKS_AT_ONCE = 16

/** A file on its way to its name. */
interface Draft {
  readonly file: SpillFile
  readonly bytes: Uint8Array
}

interface Placed {
  readonly pack: Pack<Waiting<Parcel>>
  readonly drafts: readonly Draft[]
}

/**
 * Writes records to new files: temporary file, fsync, rename, fsync of the directory.
 *
 * What comes while a round is under way waits for the next, which has a file a target and one fsync of the directory
 * for all. A file whose fsync failed is given up and never synced again: the second fsync may say that all is well
 * though the pages are gone. Source: https://wiki.postgresql.org/wiki/Fsync_Errors
 */
export class SpillWriter {
  readonly #directory: string
  readonly #instance: string
  readonly #fs: SpillFileSystem
  readonly #inventory: Inventory
  readonly #drafts = new Set<string>()
  readonly #group = new GroupCommit<Parcel>({ commit: (round) => this.#commit(round) })

  constructor(directory: string, instance: string, fs: SpillFileSystem, inventory: Inventory) {
    this.#directory = directory
    this.#instance = instance
    this.#fs = fs
    this.#inventory = inventory
  }

  /** Resolves when all of the parcel is durable; where it rejects, nothing of it is kept if the disk allows. */
  write(parcel: Parcel): Promise<void> {
    return this.#group.add(parcel)
  }

  /** Whether the file of this name is not, or not yet, known to be durable. */
  isWriting(base: string): boolean {
    return this.#drafts.has(base)
  }

  idle(): Promise<void> {
    return this.#group.idle()
  }

  async #commit(parcels: readonly Waiting<Parcel>[]): Promise<void> {
    const packs = pack(parcels, MAX_FILE_BYTES)
    const places = await someAtATime(packs, MAX_PACKS_AT_ONCE, (one) => this.#place(one))
    const placed = places.filter((one) => one !== undefined)
    if (placed.length === 0) return
    try {
      await this.#fs.syncDirectory(this.#directory)
    } catch (error) {
      await Promise.all(placed.map((one) => this.#withdraw(one, error)))
      return
    }
    for (const { pack, drafts } of placed) {
      for (const { file } of drafts) this.#inventory.add(file)
      this.#forget(drafts)
      for (const { resolve } of pack.parcels) resolve()
    }
  }

  /** Puts a pack's files under their names. */
  async #place(pack: Pack<Waiting<Parcel>>): Promise<Placed | undefined> {
    const drafts: Draft[] = []
    try {
      // There may be no memory for the copies.
      for (const records of pack.files) drafts.push(draft(pack, records))
      for (const { file } of drafts) this.#drafts.add(file.base)
      for (const { file, bytes } of drafts) await writeSynced(this.#fs, this.#temporaryPath(file), bytes)
      for (const { file } of drafts) await this.#fs.rename(this.#temporaryPath(file), this.#path(file))
      return { pack, drafts }
    } catch (error) {
      await this.#withdraw({ pack, drafts }, error)
      return undefined
    }
  }

  async #withdraw({ pack, drafts }: Placed, error: unknown): Promise<void> {
    for (const { file } of drafts) {
      await removeIfPossible(this.#fs, this.#temporaryPath(file))
      await removeIfPossible(this.#fs, this.#path(file))
    }
    this.#forget(drafts)
    for (const { reject } of pack.parcels) reject(error)
  }

  #forget(drafts: readonly Draft[]): void {
    for (const { file } of drafts) this.#drafts.delete(file.base)
  }

  #path(file: SpillFile): string {
    return join(this.#directory, file.base)
  }

  #temporaryPath(file: SpillFile): string {
    return join(this.#directory, temporaryName(file.base, this.#instance))
  }
}

function draft({ target, parcels }: Pack<Parcel>, records: readonly Uint8Array[]): Draft {
  const time = oldestTime(parcels)
  const id = randomBytes(8).toString('hex')
  const file = new SpillFile({ target, time, count: records.length, id }, byteLength(records))
  return { file, bytes: Buffer.concat(records) }
}
