import { dirname, resolve } from 'node:path'
import { errnoOf } from './disk-error.js'
import type { SpillFileSystem } from './file-system.js'

/** A directory that others made, and that this process may not open or that cannot be synced, is theirs to make durable. */
const NOT_OURS: ReadonlySet<string | undefined> = new Set(['EACCES', 'EPERM', 'EINVAL', 'ENOTSUP', 'EROFS'])

/**
 * A directory whose name, with those of its parents, this process has made durable or seen made durable.
 *
 * It does not ask the disk whether the directory is new: one that is there may have been made a moment ago, by another
 * process or by an earlier try, whose sync of the parent failed. So the parents count as durable only once this process
 * has synced them itself, and a failed sync is repeated until it succeeds.
 */
export class DurableDirectory {
  readonly #fs: SpillFileSystem
  readonly #path: string
  /** Directories that this process made, and whose names it has not synced yet. */
  readonly #unsynced = new Set<string>()
  /** What tells the directory that is known to be durable from another one of its name. */
  #durable: string | undefined

  constructor(fs: SpillFileSystem, path: string) {
    this.#fs = fs
    this.#path = resolve(path)
  }

  /**
   * Makes the directory where it is not there. Resolves when its name will outlive a power cut.
   *
   * @throws the system's error
   */
  async make(): Promise<void> {
    const first = await this.#fs.makeDirectory(this.#path)
    if (first !== undefined)
      for (let made = this.#path; made.length >= first.length; made = dirname(made)) this.#unsynced.add(made)
    const { id, device } = await this.#fs.identify(this.#path)
    if (id === this.#durable && this.#unsynced.size === 0) return
    await this.#syncParents(device)
    this.#durable = id
    this.#unsynced.clear()
  }

  /** Syncs each parent up to the mount point, beyond which a name is no part of this file system. */
  async #syncParents(device: string): Promise<void> {
    for (let child = this.#path; dirname(child) !== child; child = dirname(child)) {
      const parent = dirname(child)
      const isOurs = this.#unsynced.has(child)
      if (!isOurs && (await this.#fs.identify(parent)).device !== device) return
      try {
        await this.#fs.syncDirectory(parent)
      } catch (error) {
        if (isOurs || !NOT_OURS.has(errnoOf(error))) throw error
      }
    }
  }
}
