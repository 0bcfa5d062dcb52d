import type { BigIntStats } from 'node:fs'
import { lstat, open, readdir, rename, stat, unlink, utimes } from 'node:fs/promises'
import { makeDirectory } from './make-directory.js'
import { openRegular } from './open-regular.js'

/** SECURITY: events hold personal data, which none but the owner reads. */
export const FILE_MODE = 0o600

/** A new file that is being written. */
export interface NewFile {
  write(bytes: Uint8Array): Promise<void>
  sync(): Promise<void>
  close(): Promise<void>
}

export interface FileStat {
  readonly size: number
  readonly mtimeMs: number
  /** No directory, link, pipe or the like. */
  readonly isFile: boolean
}

/** Tells a file or directory from others, also from a later one of the same name. */
export interface FileIdentity {
  readonly id: string
  /** The same for all of one file system. */
  readonly device: string
}

/** What the spill asks of a disk, one step each, so that tests can fail or cut any of them. */
export interface SpillFileSystem {
  /** Makes the directory and its missing parents. Gives the first directory that it made, if any. */
  makeDirectory(path: string): Promise<string | undefined>
  list(directory: string): Promise<readonly string[]>
  /** Of what has the name itself: SECURITY: not of what a link leads to. */
  stat(path: string): Promise<FileStat>
  identify(path: string): Promise<FileIdentity>
  /** @throws EEXIST */
  create(path: string): Promise<NewFile>
  /** @throws NotAFileError for a pipe and the like, which could be waited for for ever */
  read(path: string): Promise<Uint8Array>
  rename(from: string, to: string): Promise<void>
  remove(path: string): Promise<void>
  /** Sets the time of the last change, in ms since 1970. */
  touch(path: string, timeMs: number): Promise<void>
  /** What was made, renamed or removed in the directory is durable afterwards. */
  syncDirectory(path: string): Promise<void>
}

export const nodeFileSystem: SpillFileSystem = {
  makeDirectory: (path) => makeDirectory(path),
  list: (directory) => readdir(directory),
  async stat(path) {
    const stats = await lstat(path)
    return { size: stats.size, mtimeMs: stats.mtimeMs, isFile: stats.isFile() }
  },
  async identify(path) {
    return identityOf(await stat(path, { bigint: true }))
  },
  async create(path) {
    const file = await open(path, 'wx', FILE_MODE)
    return {
      write: (bytes) => file.writeFile(bytes),
      sync: () => file.sync(),
      close: () => file.close(),
    }
  },
  async read(path) {
    const file = await openRegular(path)
    try {
      return await file.readFile()
    } finally {
      await file.close()
    }
  },
  rename: (from, to) => rename(from, to),
  remove: (path) => unlink(path),
  touch: (path, timeMs) => utimes(path, timeMs / 1000, timeMs / 1000),
  async syncDirectory(path) {
    // Windows has no way to sync a directory, and no need to.
    if (process.platform === 'win32') return
    const directory = await open(path, 'r')
    try {
      await directory.sync()
    } finally {
      await directory.close()
    }
  },
}

/** The bytes are on the disk when this resolves; the file's name is not before its directory is synced. */
export async function writeSynced(fs: SpillFileSystem, path: string, bytes: Uint8Array): Promise<void> {
  const file = await fs.create(path)
  try {
    await file.write(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** A file system may give the number of a removed file to another one, but not with the same time of birth. */
export function identityOf({ dev, ino, birthtimeNs }: BigIntStats): FileIdentity {
  return { id: `${dev}:${ino}:${birthtimeNs}`, device: String(dev) }
}

/** Removes a file where that is possible: for what is of no use, but does no harm either. */
export async function removeIfPossible(fs: SpillFileSystem, path: string): Promise<void> {
  try {
    await fs.remove(path)
  } catch {}
}
