import { closeSync, openSync, readFileSync } from 'node:fs'
import { devNull } from 'node:os'
import type { Clock } from '../plugin/clock.js'
import type { Logger } from '../plugin/logger.js'
import { errnoOf, fixOf } from '../plugin/spill/disk-error.js'
import { TroubleLog } from '../plugin/spill/trouble-log.js'

const LOOK_MS = 5_000

/** A connection that is closed at once frees its place: with fewer than so many left, the next ones are cut. */
const LEAST_FREE = 8

export interface OpenFilesWatchOptions {
  readonly clock: Clock
  readonly logger: Logger
  /** Opens some files and closes them again. @default a device that is always there */
  readonly tryToOpen?: () => void
}

/**
 * Logs when this process can open no more files. Nothing else would: Node closes new connections then, without a word,
 * as soon as it has accepted them, and senders see a reset.
 */
export function watchOpenFiles({ clock, logger, tryToOpen = openAny }: OpenFilesWatchOptions): {
  close(): void
} {
  const trouble = new TroubleLog(logger, clock)
  // While no file can be opened, this one cannot be either.
  const limit = readLimit()
  let cancel = () => {}
  const look = () => {
    try {
      tryToOpen()
      trouble.over('Files and connections can be opened again')
    } catch (error) {
      const errno = errnoOf(error) ?? 'other'
      const of = errno === 'EMFILE' && limit !== undefined ? ` of ${limit}` : ''
      trouble.note(
        errno,
        `Hardly any more files and connections can be opened (${errno}${of}), so that new connections are cut: ${fixOf(error)}`,
      )
    }
  }
  const schedule = () => {
    cancel = clock.after(LOOK_MS, () => {
      schedule()
      look()
    })
  }
  schedule()
  return { close: () => cancel() }
}

/** In one turn of the event loop, so that no connection meets the files that are open for this. */
function openAny(): void {
  const files: number[] = []
  try {
    while (files.length < LEAST_FREE) files.push(openSync(devNull, 'r'))
  } finally {
    for (const file of files) closeSync(file)
  }
}

/** The limit of this process on open files, where the system tells it. */
function readLimit(): string | undefined {
  try {
    return /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
  } catch {
    return undefined
  }
}
