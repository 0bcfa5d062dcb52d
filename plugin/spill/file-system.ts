import { lstat, mkdir, open, readdir, readFile, rename, unlink, utimes } from 'node:fs/promises'
import { dirname } from 'node:path'

/** SECURITY: events hold personal data, which none but the owner reads. */
export const FILE_MODE = 0o600
export const DIRECTORY_MODE = 0o700

const FULL: ReadonlySet<string | undefined> = new Set(['ENOSPC', 'EDQUOT'])

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

/** What the spill asks of a disk, one step each, so that tests can fail or cut any of them. */
export interface SpillFileSystem {
  /** Makes the directory and its parents; gives the first that was made, if any. */
  makeDirectory(path: string): Promise<string | undefined>
  list(directory: string): Promise<readonly string[]>
  /** Of what has the name itself: SECURITY: not of what a link leads to. */
  stat(path: string): Promise<FileStat>
  /** @throws EEXIST */
  create(path: string): Promise<NewFile>
  read(path: string): Promise<Uint8Array>
  rename(from: string, to: string): Promise<void>
  remove(path: string): Promise<void>
  /** Sets the time of the last change, in ms since 1970. */
  touch(path: string, timeMs: number): Promise<void>
  /** What was made, renamed or removed in the directory is durable afterwards. */
  syncDirectory(path: string): Promise<void>
}

export const nodeFileSystem: SpillFileSystem = {
  makeDirectory: (path) => mkdir(path, { recursive: true, mode: DIRECTORY_MODE }),
  list: (directory) => readdir(directory),
  async stat(path) {
    const stats = await lstat(path)
    return { size: stats.size, mtimeMs: stats.mtimeMs, isFile: stats.isFile() }
  },
  async create(path) {
    const file = await open(path, 'wx', FILE_MODE)
    return {
      write: (bytes) => file.writeFile(bytes),
      sync: () => file.sync(),
      close: () => file.close(),
    }
  },
  read: (path) => readFile(path),
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

/** Makes the directory where it is not there: it is durable when its parent is; so is each parent that was made. */
export async function makeDurably(fs: SpillFileSystem, directory: string): Promise<void> {
  const first = await fs.makeDirectory(directory)
  if (first === undefined) return
  for (let made = directory; made.length >= first.length; made = dirname(made))
    await fs.syncDirectory(dirname(made))
}

/** Removes a file where that is possible: for what is of no use, but does no harm either. */
export async function removeIfPossible(fs: SpillFileSystem, path: string): Promise<void> {
  try {
    await fs.remove(path)
  } catch {}
}

/** `ENOENT` and the like; `undefined` for what is no error of the system. */
export function errnoOf(error: unknown): string | undefined {
  // By its shape: an error of another realm (a vm context, as of some test runners) is no instance of this one's.
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : undefined
}

/** Whether the disk, or what the user may have of it, is full: what is on it can be read and removed all the same. */
export function isDiskFull(error: unknown): boolean {
  return FULL.has(errnoOf(error))
}
