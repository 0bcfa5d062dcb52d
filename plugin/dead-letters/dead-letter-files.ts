import { type FileHandle, open, readdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Clock } from '../clock.js'
import { ByteWriter } from '../json/byte-writer.js'
import { JsonText } from '../json/json-text.js'
import { SLICE_BYTES, type Slices } from '../slices.js'
import { FILE_MODE, makeDurably, nodeFileSystem } from '../spill/file-system.js'
import { GroupCommit } from '../spill/group-commit.js'
import { turns } from '../turns.js'
import type { DeadLetter, DeadLetterStore } from './dead-letter.js'
import { deepJson } from './deep-json.js'

const NEWLINE = 0x0a
/** What is written at once, unless one request has more. */
const MAX_ROUND_BYTES = 8 * 1024 * 1024
/** Of a line, without its data. */
const LETTER_BYTES = 512
/** SECURITY: whoever holds a write key can send what becomes a dead letter: it must not fill the disk. */
const DEFAULT_MAX_BYTES = 1024 * 1024 * 1024

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
  readonly #group = new GroupCommit<Waiting>({
    roundSize: (waiting) => fitting(waiting),
    commit: async (round) => {
      try {
        const letters = round.flatMap(({ letters }) => letters)
        await this.#append(await turns.run(linesOf(letters), sum(round)))
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
  }

  write(letters: readonly DeadLetter[]): Promise<void> {
    if (letters.length === 0) return Promise.resolve()
    return this.#group.add({ letters, bytes: letters.reduce((sum, letter) => sum + sizeOf(letter), 0) })
  }

  async #append(lines: Buffer): Promise<void> {
    await makeDurably(nodeFileSystem, this.directory)
    const held = await bytesIn(this.directory)
    if (held + lines.length > this.#maxBytes) {
      throw new Error(
        `${this.directory} holds ${held} bytes of dead letters, at most ${this.#maxBytes} are kept; move files away`,
      )
    }
    const day = new Date(this.#clock.wallTime()).toISOString().slice(0, 10)
    const file = await open(join(this.directory, `${day}.ndjson`), 'a+', FILE_MODE)
    try {
      const { size } = await file.stat()
      const isTorn = size > 0 && (await lastByte(file, size)) !== NEWLINE
      await append(file, isTorn ? Buffer.concat([Buffer.of(NEWLINE), lines]) : lines)
      await file.sync()
      // A new file is durable when its directory is.
      if (size === 0) await nodeFileSystem.syncDirectory(this.directory)
    } finally {
      await file.close()
    }
  }
}

/** What fails by a file's handle, as a write to a full disk does, does not say where. */
function naming(directory: string, error: unknown): unknown {
  const { message } = error as Error
  return message.includes(directory) ? error : new Error(`${message} (in ${directory})`, { cause: error })
}

/** Letters that are written together, and how large they are, about. */
interface Waiting {
  readonly letters: readonly DeadLetter[]
  readonly bytes: number
}

function sum(round: readonly Waiting[]): number {
  return round.reduce((total, { bytes }) => total + bytes, 0)
}

/** How many of those that wait fit in a round. SECURITY: their lines are in memory once more. */
function fitting(waiting: readonly Waiting[]): number {
  let bytes = 0
  const end = waiting.findIndex((it, i) => {
    bytes += it.bytes
    return i > 0 && bytes > MAX_ROUND_BYTES
  })
  return end < 0 ? waiting.length : end
}

function sizeOf({ data }: DeadLetter): number {
  return LETTER_BYTES + (data instanceof JsonText ? data.bytes.length : 0)
}

function* linesOf(letters: readonly DeadLetter[]): Slices<Buffer> {
  const writer = new ByteWriter(letters.reduce((bytes, letter) => bytes + sizeOf(letter), 0))
  let pausedAt = 0
  for (const letter of letters) {
    addLine(writer, letter)
    if (writer.length - pausedAt < SLICE_BYTES) continue
    pausedAt = writer.length
    yield
  }
  return writer.written()
}

function addLine(writer: ByteWriter, letter: DeadLetter): void {
  const { data, ...rest } = letter
  if (data instanceof JsonText) {
    // Text that is large need not become a string.
    writer.addText(`${JSON.stringify(rest).slice(0, -1)},"data":`)
    writer.add(data.bytes)
    writer.addText('}\n')
  } else writer.addText(`${textOf(letter)}\n`)
}

function textOf(letter: DeadLetter): string {
  try {
    return JSON.stringify(letter)
  } catch (error) {
    // Of what is no JSON, as a program may have handed it in, the rest is kept.
    return error instanceof RangeError ? deepJson(letter) : JSON.stringify({ ...letter, data: null })
  }
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

/** A file a day: there are few. */
async function bytesIn(directory: string): Promise<number> {
  const names = await readdir(directory)
  const files = await Promise.all(names.map((name) => stat(join(directory, name)).catch(() => undefined)))
  return files.reduce((sum, file) => sum + (file?.isFile() ? file.size : 0), 0)
}
