import { type FileHandle, open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { DeadLetterUsage } from './dead-letter.js'

const NEWLINE = 0x0a
const QUOTE = 0x22
const CHUNK_BYTES = 256 * 1024

/**
 * In a line it stands behind texts alone, in which each quote has a backslash before it: so the first one is the
 * letter's own member.
 */
const SOURCE = Buffer.from('"source":')

/** A file, as far as it was read. */
interface ReadFile {
  readonly inode: number
  size: number
  /** Where the first line begins that was not whole. */
  readUpTo: number
  readonly bySource: Map<string | null, number>
}

/**
 * Counts what is in a directory of dead letters, by source. It goes by what is on the disk alone, so that letters of
 * earlier processes and of others that share the directory count, and those that were moved away do not. Of a file that
 * was read before only what came since is read.
 */
export class DeadLetterCount {
  readonly #directory: string
  #files = new Map<string, ReadFile>()
  #running: Promise<unknown> = Promise.resolve()
  #next: Promise<void> | undefined

  constructor(directory: string) {
    this.#directory = directory
  }

  /** As it was counted last. */
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
    // Who asks while it is being counted may have written since, and waits for the next count with all others.
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
    // A copy: who asks meanwhile gets what was counted before.
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

/** Adds the lines from where the file was read up to, as far as they are whole. */
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
      // A line may be longer than the chunk, whose beginning names its source.
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

/** Adds each line that ends in the chunk, and gives how many bytes they have together. */
function addLines(chunk: Buffer, bySource: Map<string | null, number>): number {
  let from = 0
  for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
    addLine(chunk.subarray(from, end), end + 1 - from, bySource)
    from = end + 1
  }
  return from
}

/** @param head - its beginning, at the least */
function addLine(head: Buffer, bytes: number, bySource: Map<string | null, number>): void {
  const found = head.indexOf(SOURCE)
  // What is no dead letter, as somebody may have put it there, counts for no source.
  if (found === -1) return
  const at = found + SOURCE.length
  const end = head.indexOf(QUOTE, at + 1)
  const isText = head[at] === QUOTE && end !== -1
  add(bySource, isText ? head.toString('utf8', at + 1, end) : null, bytes)
}

/** With its newline; `undefined` where that has not come yet. */
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
