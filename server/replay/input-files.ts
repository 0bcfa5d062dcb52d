import { createReadStream } from 'node:fs'
import { open, readdir, stat } from 'node:fs/promises'
import { basename, join, relative, sep } from 'node:path'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { errnoOf } from '../../plugin/spill/disk-error.js'
import { parseName } from '../../plugin/spill/file-name.js'
import { skipping } from './lines.js'

/** A file to replay. */
export interface InputFile {
  readonly path: string
  /** From the folder that is replayed, with `/`. */
  readonly name: string
  readonly size: number
  readonly inode: number
  /** The stream that the file's records are meant for, where its name is one that the spill gives. */
  readonly stream: string | undefined
}

/** What is read of a file. */
export interface OpenInput {
  readonly chunks: AsyncIterable<Buffer>
  /** Bytes of the file that were read, before inflation. */
  readonly bytesRead: () => number
}

export type InputFormat = 'plain' | 'gzip'

/** The first bytes of files that hold no lines, to say so rather than to call each line malformed. */
const FOREIGN: readonly (readonly [name: string, magic: Buffer])[] = [
  ['ZIP', Buffer.from('PK\x03\x04', 'latin1')],
  ['Zstandard', Buffer.from('28b52ffd', 'hex')],
  ['Snappy', Buffer.from('ff060000734e61507059', 'hex')],
  ['Parquet', Buffer.from('PAR1')],
  ['ORC', Buffer.from('ORC')],
]
const GZIP = Buffer.from([0x1f, 0x8b])
const MAGIC_BYTES = 16
const READ_BYTES = 256 * 1024
/** What is read ahead of the lines counts as read: where 1 MB are thousands of events, that must be little. */
const GZIP_READ_BYTES = 16 * 1024

/** The files of a folder and the folders in it, by name, or the one file. Hidden ones are nobody's events. */
export async function inputFiles(from: string): Promise<InputFile[]> {
  if (!(await stat(from)).isDirectory()) return [await inputFile(from, basename(from))]
  const files: InputFile[] = []
  for (const path of await filesUnder(from)) {
    // No append to a file that the spill has not renamed was ever confirmed.
    if (parseName(basename(path))?.state === 'temporary') continue
    const name = relative(from, path).split(sep).join('/')
    // One that is gone since it was listed, as a spill's that a server delivers, is not there to be sent.
    const file = await inputFile(path, name).catch(ifGone)
    if (file !== undefined) files.push(file)
  }
  return files
}

/** @throws Error for what can hold no lines */
export async function formatOf({ path }: InputFile): Promise<InputFormat> {
  const file = await open(path, 'r')
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MAGIC_BYTES), 0, MAGIC_BYTES, 0)
    const start = buffer.subarray(0, bytesRead)
    const begins = (magic: Buffer) => start.subarray(0, magic.length).equals(magic)
    const foreign = FOREIGN.find(([, magic]) => begins(magic))
    if (foreign !== undefined) throw new Error(`it is ${foreign[0]}; give NDJSON, plain or gzip`)
    return begins(GZIP) ? 'gzip' : 'plain'
  } finally {
    await file.close()
  }
}

/** Reads from `offset` on, which counts inflated bytes; of a plain file no further than it was long when it was listed. */
export function openInput({ path, size }: InputFile, format: InputFormat, offset: number): OpenInput {
  if (format === 'plain') {
    if (offset >= size) return { chunks: nothing(), bytesRead: () => size }
    const file = createReadStream(path, { start: offset, end: size - 1, highWaterMark: READ_BYTES })
    return { chunks: file, bytesRead: () => offset + file.bytesRead }
  }
  const file = createReadStream(path, { highWaterMark: GZIP_READ_BYTES })
  // Its errors reach who reads the inflated bytes.
  const inflated = pipeline(file, createGunzip({ chunkSize: READ_BYTES }), () => {})
  return { chunks: skipping(inflated, offset), bytesRead: () => file.bytesRead }
}

async function* nothing(): AsyncGenerator<Buffer> {}

async function inputFile(path: string, name: string): Promise<InputFile> {
  const { size, ino } = await stat(path)
  return { path, name, size, inode: ino, stream: parseName(basename(path))?.name.target.stream }
}

function ifGone(error: unknown): undefined {
  if (errnoOf(error) !== 'ENOENT') throw error
}

async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  const visible = entries.filter(({ name }) => !name.startsWith('.'))
  const nested = visible
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(async (entry) => {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) return filesUnder(path)
      const isFile = entry.isFile() || (entry.isSymbolicLink() && (await stat(path)).isFile())
      return isFile ? [path] : []
    })
  return (await Promise.all(nested)).flat()
}
