import { constants, type Stats } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'

/** What is there under a name is no file: reading it could wait for ever. */
export class NotAFileError extends Error {
  override readonly name = 'NotAFileError'

  /** @param kind - `a pipe` and the like */
  constructor(path: string, kind: string) {
    super(`${path} is ${kind} and no file`)
  }
}

/**
 * Opens a file for reading, and nothing else: a pipe is opened without waiting for a writer, which may never come, and
 * then refused. A thread that waits for one keeps the process from ending, even at a signal.
 *
 * @throws NotAFileError, or the system's error
 */
export async function openRegular(path: string): Promise<FileHandle> {
  // Windows has neither such pipes nor this flag.
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  try {
    const stats = await file.stat()
    if (!stats.isFile()) throw new NotAFileError(path, kindOf(stats))
    return file
  } catch (error) {
    await file.close()
    throw error
  }
}

/** What something is that is no file, in words. */
export function kindOf(
  stats: Pick<Stats, 'isFIFO' | 'isSocket' | 'isBlockDevice' | 'isCharacterDevice' | 'isDirectory'>,
): string {
  if (stats.isDirectory()) return 'a folder'
  if (stats.isFIFO()) return 'a pipe'
  if (stats.isSocket()) return 'a socket'
  return stats.isBlockDevice() || stats.isCharacterDevice() ? 'a device' : 'something else'
}
