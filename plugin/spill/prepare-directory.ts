import { join } from 'node:path'
import {
  isDiskFull,
  makeDurably,
  removeIfPossible,
  type SpillFileSystem,
  writeSynced,
} from './file-system.js'

/**
 * Makes the spill's directory, with its parents, durable, and tries each step of an append in it.
 *
 * @returns whether the disk has room.
 * @throws the system's error
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
    throw error
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
