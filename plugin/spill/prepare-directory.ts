import { join } from 'node:path'
import {
  errnoOf,
  isDiskFull,
  makeDurably,
  removeIfPossible,
  type SpillFileSystem,
  writeSynced,
} from './file-system.js'

const FIXES: Readonly<Record<string, string>> = {
  EACCES: 'Let the user that runs this process write there, or name another directory',
  EPERM: 'Let the user that runs this process write there, or name another directory',
  EROFS: 'The file system is read-only: mount it writable, or name another directory',
  ENOTDIR: 'A part of the path is a file: name another directory',
  EEXIST: 'There is a file of that name: name another directory',
  EINVAL: 'The file system cannot make files durable (fsync): name a directory on a local disk or volume',
}
const OTHER_FIX = 'Name a directory on a disk that can be written and synced'

/**
 * Makes the spill's directory, with its parents, durable, and tries each step of an append in it.
 *
 * @returns whether the disk has room.
 * @throws Error that names the directory, what is wrong and the fix.
 */
export async function prepareDirectory(
  fs: SpillFileSystem,
  directory: string,
  instancesDirectory: string,
  probe: string,
): Promise<boolean> {
  try {
    await makeDurably(fs, directory)
    await makeDurably(fs, instancesDirectory)
    await tryOut(fs, directory, probe)
    return true
  } catch (error) {
    // What is in the spill can be delivered all the same, which makes room.
    if (isDiskFull(error)) return false
    const errno = errnoOf(error)
    throw new Error(
      `The spill directory ${directory} cannot be used (${errno ?? 'unknown error'}). ${FIXES[errno ?? ''] ?? OTHER_FIX}`,
      { cause: error },
    )
  }
}

async function tryOut(fs: SpillFileSystem, directory: string, probe: string): Promise<void> {
  const [before, after] = [join(directory, probe), join(directory, `${probe}-renamed`)]
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
