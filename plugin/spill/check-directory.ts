import { randomUUID } from 'node:crypto'
import { closeSync, fsyncSync, mkdirSync, openSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { DIRECTORY_MODE, errnoOf, FILE_MODE, isDiskFull } from './file-system.js'

const FIXES: Readonly<Record<string, string>> = {
  EACCES: 'let the user that runs this process write there, or give another directory',
  EPERM: 'let the user that runs this process write there, or give another directory',
  EROFS: 'the file system is read-only: mount it writable, or give another directory',
  ENOTDIR: 'a part of the path is a file: give another directory',
  EEXIST: 'there is a file of that name: give another directory',
  EINVAL: 'the file system cannot make files durable (fsync): give a directory on a local disk or volume',
}
const OTHER_FIX = 'give a directory on a disk that can be written and synced'

/**
 * Finds out at the start what would else be found out in an outage. A full disk is no reason not to start: the spill
 * may be what fills it, and only a process that runs empties it.
 *
 * @throws the system's error
 */
export function checkDirectory(directory: string): void {
  try {
    tryOut(directory)
  } catch (error) {
    if (!isDiskFull(error)) throw error
  }
}

/** What to do where a directory fails its check with an error. */
export function fixOf(error: unknown): string {
  return FIXES[errnoOf(error) ?? ''] ?? OTHER_FIX
}

function tryOut(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: DIRECTORY_MODE })
  const path = join(directory, `.check-${randomUUID()}`)
  const file = openSync(path, 'wx', FILE_MODE)
  try {
    writeSync(file, '\n')
    fsyncSync(file)
  } finally {
    closeSync(file)
    unlinkSync(path)
  }
  syncDirectory(directory)
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
