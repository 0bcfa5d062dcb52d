import type { Dirent } from 'node:fs'
import { type FileHandle, readdir, stat } from 'node:fs/promises'
import { basename, join, relative, sep } from 'node:path'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { errnoOf } from '../../plugin/spill/disk-error.js'
import { parseName } from '../../plugin/spill/file-name.js'
import { kindOf, NotAFileError, openRegular } from '../../plugin/spill/open-regular.js'
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

/** Something in a folder that is not read. */
export interface PassedOver {
  /** From the folder that is replayed, with `/`. */
  readonly name: string
  readonly why: string
  /** Whether there may be events in it. */
  readonly isUnreadable: boolean
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

/**
 * The files of a folder and the folders in it, by name, or the one file. Hidden ones are nobody's events.
 *
 * What is no file, or cannot be read, does not keep the others from being read.
 *
 * @throws NotAFileError where `from` itself is neither a file nor a folder, or the system's error
 */
export async function inputFiles(
  from: string,
  onPassedOver: (entry: PassedOver) => void = () => {},
): Promise<InputFile[]> {
  const stats = await stat(from)
  if (stats.isFile()) return [await inputFile(from, basename(from))]
  if (!stats.isDirectory()) throw new NotAFileError(from, kindOf(stats))
  const nameOf = (path: string) => relative(from, path).split(sep).join('/')
  const passOver = (path: string, why: string, isUnreadable = false) =>
    onPassedOver({ name: nameOf(path), why, isUnreadable })
  const files: InputFile[] = []
  for (const path of await filesUnder(from, passOver)) {
    // No append to a file that the spill has not renamed was ever confirmed.
    if (parseName(basename(path))?.state === 'temporary') continue
    try {
      files.push(await inputFile(path, nameOf(path)))
    } catch (error) {
      // One that is gone since it was listed, as a spill's that a server delivers, is not there to be sent.
      if (errnoOf(error) !== 'ENOENT') passOver(path, (error as Error).message, true)
    }
  }
  return files
}

/** @throws Error for what can hold no lines */
export async function formatOf({ path }: InputFile): Promise<InputFormat> {
  const file = await openRegular(path)
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
export async function openInput(
  { path, size }: InputFile,
  format: InputFormat,
  offset: number,
): Promise<OpenInput> {
  if (format === 'plain' && offset >= size) return { chunks: nothing(), bytesRead: () => size }
  // Its stream closes it.
  const file: FileHandle = await openRegular(path)
  if (format === 'plain') {
    const plain = file.createReadStream({ start: offset, end: size - 1, highWaterMark: READ_BYTES })
    return { chunks: plain, bytesRead: () => offset + plain.bytesRead }
  }
  const deflated = file.createReadStream({ highWaterMark: GZIP_READ_BYTES })
  // Its errors reach who reads the inflated bytes.
  const inflated = pipeline(deflated, createGunzip({ chunkSize: READ_BYTES }), () => {})
  return { chunks: skipping(inflated, offset), bytesRead: () => deflated.bytesRead }
}

async function* nothing(): AsyncGenerator<Buffer> {}

async function inputFile(path: string, name: string): Promise<InputFile> {
  const { size, ino } = await stat(path)
  return { path, name, size, inode: ino, stream: parseName(basename(path))?.name.target.stream }
}

type PassOver = (path: string, why: string, isUnreadable?: boolean) => void

async function filesUnder(folder: string, passOver: PassOver): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  const visible = entries.filter(({ name }) => !name.startsWith('.'))
  const files: string[] = []
  for (const entry of visible.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name)
    try {
      if (entry.isDirectory()) files.push(...(await filesUnder(path, passOver)))
      else if (entry.isFile() || (await isLinkToFile(entry, path, passOver))) files.push(path)
    } catch (error) {
      const isGone = errnoOf(error) === 'ENOENT' && !entry.isSymbolicLink()
      if (!isGone) passOver(path, (error as Error).message, true)
    }
  }
  return files
}

/** Folders behind links are not followed: one of them may lead back to where it is. */
async function isLinkToFile(entry: Dirent, path: string, passOver: PassOver): Promise<boolean> {
  if (!entry.isSymbolicLink()) {
    passOver(path, `it is ${kindOf(entry)}`)
    return false
  }
  try {
    const stats = await stat(path)
    if (!stats.isFile()) passOver(path, `it is a link to ${kindOf(stats)}`)
    return stats.isFile()
  } catch (error) {
    const errno = errnoOf(error)
    if (errno !== 'ENOENT' && errno !== 'ELOOP') throw error
    passOver(path, errno === 'ENOENT' ? 'it is a link to nothing' : 'it is a link that leads back to itself')
    return false
  }
}
