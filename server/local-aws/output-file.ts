import { randomUUID } from 'node:crypto'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

/** How a stream's files are written: as they are, or as `.gz`. */
export type Compression = 'none' | 'gzip'

/** A file that is filling up in memory. */
export interface OutputFile {
  readonly folder: string
  readonly fileName: string
  readonly compression: Compression
  readonly chunks: Buffer[]
  bytes: number
}

/**
 * Named as Firehose names an S3 object, by the UTC time of its first record:
 * `<stream>/YYYY/MM/DD/HH/<stream>-1-YYYY-MM-DD-HH-mm-ss-<uuid>[.gz]`.
 * https://docs.aws.amazon.com/firehose/latest/dev/s3-object-name.html
 */
export function newOutputFile(streamName: string, compression: Compression, at: number): OutputFile {
  const [date = '', time = ''] = new Date(at).toISOString().slice(0, 19).split('T')
  const hour = time.slice(0, 2)
  const suffix = compression === 'gzip' ? '.gz' : ''
  return {
    folder: join(folderName(streamName), ...date.split('-'), hour),
    fileName: `${streamName}-1-${date}-${time.replaceAll(':', '-')}-${randomUUID()}${suffix}`,
    compression,
    chunks: [],
    bytes: 0,
  }
}

/** The file appears whole: it is written under a hidden name, then renamed. */
export async function writeOutputFile(dir: string, file: OutputFile): Promise<void> {
  const folder = join(dir, file.folder)
  await mkdir(folder, { recursive: true })
  const data = Buffer.concat(file.chunks, file.bytes)
  const temporary = join(folder, `.${file.fileName}.tmp`)
  await writeFile(temporary, file.compression === 'gzip' ? await promisify(gzip)(data) : data)
  await rename(temporary, join(folder, file.fileName))
}

/**
 * SECURITY: AWS allows `.` and `..` as stream names, and as folders they would lead out of the output. `%` is
 * in no stream name, so that the folder of another stream cannot be meant.
 */
function folderName(streamName: string): string {
  return /^\.+$/.test(streamName) ? streamName.replaceAll('.', '%2E') : streamName
}
