import { randomUUID } from 'node:crypto'
import { closeSync, fsyncSync, mkdirSync, openSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { DIRECTORY_MODE, FILE_MODE, isDiskFull } from './file-system.js'

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
}
