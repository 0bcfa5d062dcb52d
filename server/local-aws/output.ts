import { constants } from 'node:fs'
import { access, mkdir } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { type OutputTarget, StreamOutput } from './stream-output.js'

export interface OutputSettings {
  readonly dir: string
  readonly sizeBytes: number
  readonly intervalMs: number
  readonly now: () => number
  /** A file could not be written. Its records are kept and tried again. */
  readonly onError: (error: Error) => void
}

/** What may wait in memory over all streams; where the disk is slower than the clients, they are told to slow down. */
const MAX_WAITING_BYTES = 128 * 1024 * 1024

/** Writes what streams take to disk, in the files that Firehose would leave in an S3 bucket. */
export class Output {
  readonly #settings: OutputSettings
  readonly #streams = new Map<string, StreamOutput>()

  constructor(settings: OutputSettings) {
    this.#settings = settings
  }

  /** Makes the folder. @throws the system's error where it cannot be made or written, so that this is known at the start */
  async open(): Promise<void> {
    const dir = resolve(this.#settings.dir)
    await makeFolder(dir)
    await access(dir, constants.W_OK | constants.X_OK)
  }

  /** Asked once a call, before its records are taken. */
  hasRoomFor(bytes: number): boolean {
    let waiting = bytes
    for (const stream of this.#streams.values()) waiting += stream.waitingBytes
    return waiting <= MAX_WAITING_BYTES
  }

  append(target: OutputTarget, data: Buffer): void {
    let stream = this.#streams.get(target.name)
    if (stream === undefined) {
      this.#forgetIdle()
      stream = new StreamOutput(target.name, this.#settings)
      this.#streams.set(target.name, stream)
    }
    stream.append(data, target.compression)
  }

  /** Everything taken until now is on disk when this resolves. @throws the first file system error */
  async flush(): Promise<void> {
    const results = await Promise.allSettled([...this.#streams.values()].map((stream) => stream.flush()))
    const failed = results.find((result) => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  /** Writes out the rest, and retries no more. */
  async close(): Promise<void> {
    try {
      await this.flush()
    } finally {
      for (const stream of this.#streams.values()) stream.stop()
    }
  }

  #forgetIdle(): void {
    for (const [name, stream] of this.#streams) {
      if (stream.waitingBytes === 0) this.#streams.delete(name)
    }
  }
}

/**
 * Node reports ENOENT where a file system is read-only and parents are missing as well: then the first parent that is
 * missing tells the cause. Source: https://github.com/nodejs/node/issues/47098
 */
async function makeFolder(dir: string): Promise<void> {
  try {
    await mkdir(dir, { recursive: true })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(dir) === dir) throw error
    await makeFolder(dirname(dir))
    await mkdir(dir)
  }
}
