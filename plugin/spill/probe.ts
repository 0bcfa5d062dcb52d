import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, openSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf, isDiskFull } from './disk-error.js'
import { FILE_MODE, removeIfPossible, type SpillFileSystem, writeSynced } from './file-system.js'
import { makeDirectorySync } from './make-directory.js'

const PROBE = /^\.probe-[0-9a-f]{16}(-renamed)?$/

/** No probe takes so long: what is older was left behind by a process that was killed. */
const LEFT_BEHIND_MS = 60 * 60_000

/**
 * Makes a directory and writes a file in it for a moment, so that what keeps this process from writing there shows at
 * the start and not in an outage. A full disk passes: the spill may be what fills it, and only a process that runs
 * empties it.
 *
 * @throws the system's error
 */
export function tryDirectory(directory: string): void {
  try {
    makeDirectorySync(directory)
    tryFile(join(directory, probeName()))
    syncDirectory(directory)
  } catch (error) {
    if (!isDiskFull(error)) throw error
  }
}

/** Tries each step of an append in a directory. @throws the system's error */
export async function tryAppend(fs: SpillFileSystem, directory: string): Promise<void> {
  const before = join(directory, probeName())
  const after = `${before}-renamed`
  try {
    await writeSynced(fs, before, Buffer.from('\n'))
    await fs.rename(before, after)
    await fs.syncDirectory(directory)
    await fs.remove(after)
  } catch (error) {
    await removeIfPossible(fs, before)
    await removeIfPossible(fs, after)
    throw error
  }
}

/** Removes the probes that processes left behind which were killed. Never rejects. */
export async function removeOldProbes(
  fs: Pick<SpillFileSystem, 'stat' | 'remove'>,
  directory: string,
  names: readonly string[],
  wallTime: number,
): Promise<void> {
  for (const name of names) {
    if (!PROBE.test(name)) continue
    const path = join(directory, name)
    try {
      const { mtimeMs, isFile } = await fs.stat(path)
      if (isFile && mtimeMs < wallTime - LEFT_BEHIND_MS) await fs.remove(path)
    } catch {}
  }
}

function probeName(): string {
  return `.probe-${randomBytes(8).toString('hex')}`
}

function tryFile(path: string): void {
  const file = openSync(path, 'wx', FILE_MODE)
  try {
    writeSync(file, '\n')
    fsyncSync(file)
  } finally {
    closeSync(file)
    removeSync(path)
  }
}

/** Another process may have taken it for one that was left behind. */
function removeSync(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
  }
}

/** Not every file system can: of several that are reached over a network, none can be a spill. */
function syncDirectory(path: string): void {
  // Windows has no way to sync a directory, and no need to.
  if (process.platform === 'win32') return
  const directory = openSync(path, 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}
