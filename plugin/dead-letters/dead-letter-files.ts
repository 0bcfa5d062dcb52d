import { type FileHandle, open, readdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Clock } from '../clock.js'
import { errnoOf, fixOf } from '../spill/disk-error.js'
import { DurableDirectory } from '../spill/durable-directory.js'
import { FILE_MODE, identityOf, nodeFileSystem } from '../spill/file-system.js'
import { GroupCommit } from '../spill/group-commit.js'
import { removeOldProbes } from '../spill/probe.js'
import { turns } from '../turns.js'
import type { DeadLetter, DeadLetterStore } from './dead-letter.js'
import { batchOf, fittingBatches, type LetterBatch, linesOf, sizeOfBatches } from './letter-line.js'

const NEWLINE = 0x0a
/** What is written at once, unless one request has more. */
const MAX_ROUND_BYTES = 8 * 1024 * 1024
/** SECURITY: whoever holds a write key can send what becomes a dead letter: it must not fill the disk. */
export const DEFAULT_MAX_BYTES = 1024 * 1024 * 1024

/**
 * Dead letters as JSON lines in a file a day (UTC), `<directory>/YYYY-MM-DD.ndjson`.
 *
 * `write` resolves when its lines are on the disk. All that wait at a time share one fsync. The file is opened anew
 * each time, so that it may be moved or removed while the server runs. Beyond `maxBytes` in the directory it rejects,
 * until files are moved away.
 */
export class DeadLetterFiles implements DeadLetterStore {
  readonly directory: string
  readonly #clock: Clock
  readonly #maxBytes: number
  readonly #durableDirectory: DurableDirectory
  /** The file whose name this process has made durable. */
  #durableFile: string | undefined
  readonly #group = new GroupCommit<LetterBatch>({
    roundSize: (waiting) => fittingBatches(waiting, MAX_ROUND_BYTES),
    commit: async (round) => {
      try {
        const { bytes } = await turns.run(linesOf(round), sizeOfBatches(round))
        await this.#append(bytes)
        for (const { resolve } of round) resolve()
      } catch (error) {
        throw naming(this.directory, error)
      }
    },
  })

  /** @param maxBytes - of all files in the directory */
  constructor(directory: string, clock: Clock, maxBytes = DEFAULT_MAX_BYTES) {
    this.directory = resolve(directory)
    this.#clock = clock
    this.#maxBytes = maxBytes
    this.#durableDirectory = new DurableDirectory(nodeFileSystem, this.directory)
  }

  write(letters: readonly DeadLetter[]): Promise<void> {
    if (letters.length === 0) return Promise.resolve()
    return this.#group.add(batchOf(letters))
  }

  async #append(lines: Buffer): Promise<void> {
    await this.#durableDirectory.make()
    await this.#checkRoom(lines.length)
    const day = new Date(this.#clock.wallTime()).toISOString().slice(0, 10)
    const file = await open(join(this.directory, `${day}.ndjson`), 'a+', FILE_MODE)
    try {
      const stats = await file.stat({ bigint: true })
      const size = Number(stats.size)
      const isTorn = size > 0 && (await lastByte(file, size)) !== NEWLINE
      await append(file, isTorn ? Buffer.concat([Buffer.of(NEWLINE), lines]) : lines)
      await file.sync()
      await this.#makeNameDurable(identityOf(stats).id)
    } finally {
      await file.close()
    }
  }

  /** A file is durable when its directory is. It need not be new for that: another process may have made it just now. */
  async #makeNameDurable(file: string): Promise<void> {
    if (file === this.#durableFile) return
    await nodeFileSystem.syncDirectory(this.directory)
    this.#durableFile = file
  }

  async #checkRoom(bytes: number): Promise<void> {
    const names = await readdir(this.directory)
    const held = await bytesOf(names.map((name) => join(this.directory, name)))
    if (held + bytes > this.#maxBytes) {
      throw new Error(
        `${this.directory} holds ${held} bytes of dead letters, at most ${this.#maxBytes} are kept; move files away`,
      )
    }
    await removeOldProbes(nodeFileSystem, this.directory, names, this.#clock.wallTime())
  }
}

/** What fails by a file's handle, as a write to a full disk does, does not say where. */
function naming(directory: string, error: unknown): unknown {
  const errno = errnoOf(error)
  const { message } = error as Error
  if (errno === undefined && message.includes(directory)) return error
  const where = message.includes(directory) ? '' : ` (in ${directory})`
  const fix = errno === undefined ? '' : `; ${fixOf(error)}`
  return Object.assign(new Error(`${message}${where}${fix}`, { cause: error }), errno && { code: errno })
}

/**
 * In one call, which goes to the end of the file in one piece: `appendFile` makes calls of 512 KiB, and the lines of
 * another process would come between them.
 */
async function append(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let done = 0; done < bytes.length; ) done += (await file.write(bytes, done)).bytesWritten
}

/** What a crash or a full disk left behind ends in the middle of a line: the next one must not be glued to it. */
async function lastByte(file: FileHandle, size: number): Promise<number | undefined> {
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1)
  return buffer[0]
}

/** There is a file a day: there are few. */
async function bytesOf(paths: readonly string[]): Promise<number> {
  const files = await Promise.all(paths.map((path) => stat(path).catch(() => undefined)))
  return files.reduce((sum, file) => sum + (file?.isFile() ? file.size : 0), 0)
}
