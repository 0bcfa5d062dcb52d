import type { Clock } from '../../plugin/clock.js'
import type { Logger } from '../../plugin/logger.js'
import type { InputFile } from './input-files.js'
import type { Line } from './lines.js'
import { Pace } from './pace.js'
import type { Planner } from './plan.js'
import type { FileProgress, ProgressFile } from './progress-file.js'
import { readReplayEvent } from './replay-event.js'
import { type FailedSend, type Sender, targetOf } from './sender.js'
import { isBlank, type Settling, sendsOf } from './settling.js'
import { addTo, type FailureCode, Tally, worded } from './tally.js'
import { UnreadableFile, unsettledLines } from './unsettled-lines.js'

/** Confirmed together. SECURITY: with the bytes this bounds the memory. */
const CHUNK_EVENTS = 2_000
const CHUNK_LINES = 20_000
const CHUNK_BYTES = 8 * 1024 * 1024
/** Beyond this, something has to be mended first; the places of what is left must not grow without limit. */
const MAX_LEFTOVERS = 100_000
/** Lines of which it is logged what is wrong. */
const MAX_TOLD = 20

export interface ReplayOptions {
  readonly files: readonly InputFile[]
  /** Entries beside the files that could not be read, and may hold events. @default 0 */
  readonly unreadable?: number
  readonly planner: Planner
  readonly progress: ProgressFile
  /** `undefined` for a dry run, which counts what would be sent. */
  readonly sender: Sender | undefined
  /** Events a second at most. @default as fast as they are taken */
  readonly rate?: number | undefined
  /** Stops it when what is under way is settled. */
  readonly signal: AbortSignal
  readonly clock: Clock
  readonly logger: Logger
  /** Told after each chunk. */
  readonly onProgress?: (tally: Tally, bytesRead: number) => void
  /** Lines that may be left before it stops. @default 100000 */
  readonly maxLeftovers?: number
}

export interface ReplayResult {
  readonly tally: Tally
  /** `done`: all was read, and it is in the tally what became of it. */
  readonly ended: 'done' | 'interrupted' | 'too many failures'
}

/**
 * Sends files again, a chunk at a time, in order. A chunk is confirmed, and that written down, before the next one
 * goes: what is killed sends at most one chunk twice. The input is never changed.
 *
 * @throws Error where it cannot be written down what has arrived
 */
export async function replay(options: ReplayOptions): Promise<ReplayResult> {
  const letGo = options.clock.hold()
  try {
    return await new Replay(options).run()
  } finally {
    letGo()
  }
}

class Replay {
  readonly #options: ReplayOptions
  readonly #pace: Pace
  readonly #tally = new Tally()
  #chunk: Settling[] = []
  #chunkEvents = 0
  #chunkBytes = 0
  #told = 0
  #isHopeless = false
  #bytesOfFilesRead = 0
  #bytesOfThisFile = () => 0

  constructor(options: ReplayOptions) {
    this.#options = options
    this.#pace = new Pace(options)
  }

  async run(): Promise<ReplayResult> {
    const { files, unreadable = 0, sender, progress } = this.#options
    for (let n = 0; n < unreadable; n++) addTo(this.#tally.failed, 'unreadable file')
    // Found out before anything is sent rather than after.
    if (sender !== undefined && files.length > 0) await progress.save()
    for (const file of files) {
      if (this.#end !== undefined) break
      this.#tally.files++
      await this.#read(file)
      this.#bytesOfThisFile = () => 0
      this.#bytesOfFilesRead += file.size
    }
    if (this.#end === undefined) await this.#confirm()
    const ended = this.#end ?? 'done'
    if (sender !== undefined && ended === 'done' && this.#tally.failures === 0) await progress.remove()
    return { tally: this.#tally, ended }
  }

  get #end(): Exclude<ReplayResult['ended'], 'done'> | undefined {
    if (this.#options.signal.aborted) return 'interrupted'
    return this.#isHopeless ? 'too many failures' : undefined
  }

  async #read(file: InputFile): Promise<void> {
    const onOpen = (bytesRead: () => number) => {
      this.#bytesOfThisFile = bytesRead
    }
    try {
      for await (const { line, progress } of unsettledLines(file, this.#options.progress, onOpen)) {
        this.#add({ file, progress, line, fate: this.#fateOf(line, file, progress) })
        if (this.#isChunkFull) await this.#confirm()
        if (this.#end !== undefined) return
      }
    } catch (error) {
      if (!(error instanceof UnreadableFile)) throw error
      addTo(this.#tally.failed, 'unreadable file')
      this.#tell(`${file.name}: cannot be read to its end: ${error.message}`)
    }
  }

  #fateOf({ bytes, offset }: Line, { stream }: InputFile, { left }: FileProgress): Settling['fate'] {
    if (bytes === undefined) return { fail: 'too long' }
    if (isBlank(bytes)) return 'blank'
    const event = readReplayEvent(bytes)
    if (typeof event === 'string') return { fail: event }
    if ('problem' in event) return { fail: event.problem, why: event.why }
    const plan = this.#options.planner.plan(event, stream)
    const targets = left.get(offset)?.targets ?? []
    if (!('sends' in plan) || targets.length === 0) return plan
    const sends = plan.sends.filter((send) => targets.includes(targetOf(send)))
    return sends.length > 0 ? { ...plan, sends } : { skip: 'in no row of mappedStreams' }
  }

  #add(settling: Settling): void {
    this.#chunk.push(settling)
    this.#chunkBytes += settling.line.bytes?.length ?? 0
    if (sendsOf(settling) !== undefined) this.#chunkEvents++
  }

  get #isChunkFull(): boolean {
    const { rate = CHUNK_EVENTS } = this.#options
    return (
      this.#chunkEvents >= Math.max(1, Math.min(CHUNK_EVENTS, Math.floor(rate))) ||
      this.#chunkBytes >= CHUNK_BYTES ||
      this.#chunk.length >= CHUNK_LINES
    )
  }

  /** Sends the chunk and writes down what has arrived; nothing where it is interrupted before. */
  async #confirm(): Promise<void> {
    const { sender, progress, onProgress, maxLeftovers = MAX_LEFTOVERS } = this.#options
    const sending = this.#chunk.flatMap((settling) => sendsOf(settling)?.sends ?? []).length
    if (sending > 0 && sender !== undefined && !(await this.#pace.isTurn(this.#chunkEvents))) return
    const failed = await sender?.send(this.#chunk.map((settling) => sendsOf(settling)?.sends ?? []))
    this.#chunk.forEach((settling, i) => {
      this.#settle(settling, failed?.[i] ?? [])
    })
    this.#chunk = []
    this.#chunkEvents = 0
    this.#chunkBytes = 0
    this.#isHopeless = progress.leftovers > maxLeftovers
    if (sender !== undefined) await progress.save()
    onProgress?.(this.#tally, this.#bytesOfFilesRead + this.#bytesOfThisFile())
  }

  #settle({ file, progress, line, fate }: Settling, failed: readonly FailedSend[]): void {
    const { offset, number, end } = line
    progress.left.delete(offset)
    if (end > progress.position.offset) progress.position = { offset: end, line: number }
    if (fate === 'blank') return
    const tally = this.#tally
    const leave = (code: FailureCode, why: string, targets: readonly string[]) => {
      addTo(tally.failed, code)
      progress.left.set(offset, { offset, line: number - 1, targets })
      this.#tell(`${file.name}, line ${number}: ${why}`)
    }
    tally.read++
    if ('skip' in fate) return addTo(tally.skipped, fate.skip)
    if ('fail' in fate) return leave(fate.fail, worded(fate.fail, 'why' in fate ? fate.why : undefined), [])
    tally.sent++
    for (const { record } of fate.sends) addTo(tally.records, `${fate.source} → ${record.stream}`)
    const [first] = failed
    if (first !== undefined) {
      const { code, message } = first.error
      return leave(
        code,
        `${code}: ${message}`,
        failed.map(({ target }) => target),
      )
    }
    if (this.#options.sender !== undefined) tally.delivered++
  }

  /** SECURITY: places and codes, nothing of a line. */
  #tell(message: string): void {
    this.#told++
    if (this.#told <= MAX_TOLD) this.#options.logger.warn(message)
    if (this.#told === MAX_TOLD) this.#options.logger.warn('More of these are counted, but not told')
  }
}
