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
    // One at a time and in order; a failed write does not stop the next attempt.
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

  async #writeFull(): Promise<void> {
    for (let file = this.#full[0]; file !== undefined; file = this.#full[0]) {
      await writeOutputFile(this.#settings.dir, file)
      this.#full.shift()
      this.#waitingBytes -= file.bytes
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
