import { type Compression, newOutputFile, type OutputFile, writeOutputFile } from './output-file.js'

export interface OutputTarget {
  readonly name: string
  readonly compression: Compression
}

interface StreamOutputSettings {
  readonly dir: string
  readonly sizeBytes: number
  readonly intervalMs: number
  readonly now: () => number
  readonly onError: (error: Error) => void
}

/**
 * One after the other they would take a turn of a busy event loop for each step, and fall behind the clients;
 * all at once they could be more than may be open.
 */
const FILES_AT_ONCE = 32

/** One stream's buffer: becomes a file when it is large enough or its first record old enough. */
export class StreamOutput {
  readonly #name: string
  readonly #settings: StreamOutputSettings
  #open: OutputFile | undefined
  /** Full buffers, oldest first, until they are on disk. */
  readonly #full: OutputFile[] = []
  #writing: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined
  #waitingBytes = 0
  #stopped = false

  constructor(name: string, settings: StreamOutputSettings) {
    this.#name = name
    this.#settings = settings
  }

  /** Taken and not yet on disk. */
  get waitingBytes(): number {
    return this.#waitingBytes
  }

  append(data: Buffer, compression: Compression): void {
    if (this.#open !== undefined && this.#open.compression !== compression) this.#seal()
    this.#open ??= newOutputFile(this.#name, compression, this.#settings.now())
    this.#open.chunks.push(data)
    this.#open.bytes += data.length
    this.#waitingBytes += data.length
    if (this.#open.bytes >= this.#settings.sizeBytes) this.#flushInBackground()
    else this.#schedule()
  }

  async flush(): Promise<void> {
    this.#seal()
    // One attempt at a time; a failed write does not stop the next attempt.
    this.#writing = this.#writing.catch(() => {}).then(() => this.#writeFull())
    await this.#writing
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  #seal(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#open !== undefined && this.#open.bytes > 0) this.#full.push(this.#open)
    this.#open = undefined
  }

  /** What fails stays, at the head, for the next attempt. @throws the first failure */
  async #writeFull(): Promise<void> {
    while (this.#full.length > 0) {
      const files = this.#full.splice(0, FILES_AT_ONCE)
      const results = await Promise.allSettled(files.map((file) => writeOutputFile(this.#settings.dir, file)))
      const failed = files.filter((_, index) => results[index]?.status === 'rejected')
      for (const file of files) if (!failed.includes(file)) this.#waitingBytes -= file.bytes
      this.#full.unshift(...failed)
      const failure = results.find((result) => result.status === 'rejected')
      if (failure !== undefined) throw failure.reason
    }
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#stopped) return
    this.#timer = setTimeout(() => this.#flushInBackground(), this.#settings.intervalMs)
    this.#timer.unref()
  }

  #flushInBackground(): void {
    this.flush().catch((error: Error) => {
      this.#settings.onError(error)
      this.#schedule()
    })
  }
}
