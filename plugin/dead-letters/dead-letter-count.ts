import { type FileHandle, open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { DeadLetterUsage } from './dead-letter.js'

const NEWLINE = 0x0a
const QUOTE = 0x22
const CHUNK_BYTES = 256 * 1024

/**
 * In a letter's line only texts come before this member, and in a text each quote has a backslash before it. So the
 * first match is the letter's own member.
 */
const SOURCE = Buffer.from('"source":')

/** A file that was read, in part or whole. */
interface ReadFile {
  readonly inode: number
  size: number
  /** Reading goes on here: at the first line that had no end yet. */
  readUpTo: number
  readonly bySource: Map<string | null, number>
}

/**
 * Counts the bytes in a directory of dead letters, by source. It trusts nothing but the disk: letters of earlier
 * processes and of other workers count, and letters that somebody moved away do not. Each count reads only what was
 * appended since the one before.
 */
export class DeadLetterCount {
  readonly #directory: string
  #files = new Map<string, ReadFile>()
  #running: Promise<unknown> = Promise.resolve()
  #next: Promise<void> | undefined

  constructor(directory: string) {
    this.#directory = directory
  }

  /** The last count. */
  get usage(): DeadLetterUsage {
    let bytes = 0
    const bySource = new Map<string | null, number>()
    for (const file of this.#files.values()) {
      bytes += file.size
      for (const [source, own] of file.bySource) add(bySource, source, own)
    }
    return { bytes, bySource }
  }

  /** Resolves to what the directory holds now. Rejects where it is there and cannot be read. */
  async count(): Promise<DeadLetterUsage> {
    // A caller may have written after the running count began, so all callers of now share the next one.
    this.#next ??= this.#running.then(() => {
      this.#next = undefined
      return this.#count()
    })
    const counted = this.#next
    this.#running = counted.catch(() => {})
    await counted
    return this.usage
  }

  async #count(): Promise<void> {
    const files = new Map<string, ReadFile>()
    for (const name of await namesIn(this.#directory)) {
      const file = await this.#read(name)
      if (file !== undefined) files.set(name, file)
    }
    this.#files = files
  }

  async #read(name: string): Promise<ReadFile | undefined> {
    const path = join(this.#directory, name)
    const found = await stat(path).catch(() => undefined)
    if (!found?.isFile()) return undefined
    const known = this.#files.get(name)
    const isSame = known?.inode === found.ino && known.size <= found.size
    if (isSame && known.size === found.size) return known
    // A copy, as `usage` must not show a file that is half counted.
    const file = isSame
      ? { ...known, bySource: new Map(known.bySource) }
      : { inode: found.ino, size: 0, readUpTo: 0, bySource: new Map() }
    if (found.size > file.size && name.endsWith('.ndjson')) await readLines(path, file, found.size)
    file.size = found.size
    return file
  }
}

function add(sums: Map<string | null, number>, source: string | null, bytes: number): void {
  sums.set(source, (sums.get(source) ?? 0) + bytes)
}

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** Reads on in the file and adds the lines that have an end. */
async function readLines(path: string, read: ReadFile, end: number): Promise<void> {
  const file = await open(path, 'r').catch(() => undefined)
  if (file === undefined) return
  try {
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, end - read.readUpTo))
    while (read.readUpTo < end) {
      const { bytesRead } = await file.read(
        chunk,
        0,
        Math.min(chunk.length, end - read.readUpTo),
        read.readUpTo,
      )
      const wholeBytes = addLines(chunk.subarray(0, bytesRead), read.bySource)
      // A line may be longer than the chunk: its beginning names the source, and its end is further on.
      const lineBytes =
        wholeBytes > 0 ? wholeBytes : await lengthOfLine(file, read.readUpTo, end, chunk.length)
      if (lineBytes === undefined) return
      if (wholeBytes === 0) addLine(chunk.subarray(0, bytesRead), lineBytes, read.bySource)
      read.readUpTo += lineBytes
    }
  } finally {
    await file.close()
  }
}

/** Adds each line that ends in the chunk, and returns how many bytes these lines have. */
function addLines(chunk: Buffer, bySource: Map<string | null, number>): number {
  let from = 0
  for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
    addLine(chunk.subarray(from, end), end + 1 - from, bySource)
    from = end + 1
  }
  return from
}

/** @param head - at least the beginning of the line */
function addLine(head: Buffer, bytes: number, bySource: Map<string | null, number>): void {
  const found = head.indexOf(SOURCE)
  // Somebody may have put other files here; they count for no source.
  if (found === -1) return
  const at = found + SOURCE.length
  const end = head.indexOf(QUOTE, at + 1)
  const isText = head[at] === QUOTE && end !== -1
  add(bySource, isText ? head.toString('utf8', at + 1, end) : null, bytes)
}

/** The line's length with its newline; `undefined` where there is no newline yet. */
async function lengthOfLine(
  file: FileHandle,
  from: number,
  end: number,
  chunkBytes: number,
): Promise<number | undefined> {
  const chunk = Buffer.allocUnsafe(chunkBytes)
  for (let at = from; at < end; ) {
    const { bytesRead } = await file.read(chunk, 0, Math.min(chunkBytes, end - at), at)
    if (bytesRead === 0) return undefined
    const newline = chunk.subarray(0, bytesRead).indexOf(NEWLINE)
    if (newline !== -1) return at + newline + 1 - from
    at += bytesRead
  }
  return undefined
}
