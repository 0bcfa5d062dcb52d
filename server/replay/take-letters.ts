import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { Message } from '@aws-sdk/client-sqs'
import type { Clock } from '../../plugin/clock.js'
import { LETTER_ATTRIBUTES } from '../../plugin/dead-letters/letter-queue.js'
import type { DeadLetterQueue } from '../../plugin/settings/dead-letter-settings.js'
import { DurableDirectory } from '../../plugin/spill/durable-directory.js'
import { nodeFileSystem, writeSynced } from '../../plugin/spill/file-system.js'
import { decodeLines } from '../../plugin/spill/line-message.js'
import { MAX_ENTRIES, QueueApi, queueClient } from '../../plugin/spill/queue-api.js'

/** What is received is deleted long before. */
const VISIBILITY_SECONDS = 120
/** In one file, which is durable before its messages are deleted. */
const MAX_FILE_BYTES = 8 * 1024 * 1024
/** A queue that holds what is not ours may hold any amount of it. */
const MAX_FOREIGN = 50
/** SECURITY: what is inflated has a limit, several times the largest body that the proxy takes. */
const MAX_LETTER_BYTES = 64 * 1024 * 1024

export interface TakeLettersOptions extends Omit<DeadLetterQueue, 'kind'> {
  /** Where the letters go. It is made. */
  readonly folder: string
  readonly signal: AbortSignal
  readonly clock: Clock
  /** How long an empty queue is listened to, in seconds: from 1 on SQS asks all of its servers. @default 2 */
  readonly waitSeconds?: number
}

export interface TakenLetters {
  readonly letters: number
  /** Messages that hold no dead letters. They are left in the queue. */
  readonly foreign: number
  /** Letters of which a part is missing. Their parts are left in the queue. */
  readonly incomplete: number
}

/** A message, and what of a line it holds. */
interface Part {
  readonly receipt: string
  readonly text: string
}

/**
 * Takes dead letters out of an SQS queue into files of a folder. Whatever happens, a letter is in one of both: in the
 * file durably before its message is deleted, so that it may be in both for a while.
 */
export async function takeLetters(options: TakeLettersOptions): Promise<TakenLetters> {
  const { clock } = options
  const sdk = await import('@aws-sdk/client-sqs')
  const client = await queueClient(sdk, options, clock)
  try {
    return await new LetterTaker(new QueueApi(sdk, client, options, clock), options).run()
  } finally {
    client.destroy()
  }
}

class LetterTaker {
  readonly #api: QueueApi
  readonly #options: TakeLettersOptions
  readonly #directory: DurableDirectory
  readonly #parts = new Map<string, Map<number, Part>>()
  #lines: Uint8Array[] = []
  #receipts: string[] = []
  #bytes = 0
  #letters = 0
  #foreign: string[] = []

  constructor(api: QueueApi, options: TakeLettersOptions) {
    this.#api = api
    this.#options = options
    this.#directory = new DurableDirectory(nodeFileSystem, options.folder)
  }

  async run(): Promise<TakenLetters> {
    const { signal, waitSeconds = 2 } = this.#options
    while (!signal.aborted && this.#foreign.length < MAX_FOREIGN) {
      const messages = await this.#api.receive(VISIBILITY_SECONDS, waitSeconds)
      for (const message of messages) this.#take(message)
      if (messages.length === 0 || this.#bytes >= MAX_FILE_BYTES) await this.#keep()
      if (messages.length === 0) break
    }
    await this.#keep()
    await this.#giveBack()
    return { letters: this.#letters, foreign: this.#foreign.length, incomplete: this.#parts.size }
  }

  #take(message: Message): void {
    const { ReceiptHandle: receipt, Body: text = '' } = message
    if (receipt === undefined) return
    const value = (name: string) => message.MessageAttributes?.[name]?.StringValue
    const isLetter =
      value('kind') === LETTER_ATTRIBUTES.kind && value('version') === LETTER_ATTRIBUTES.version
    const [letter, part] = [value('letter'), value('part')]
    if (isLetter && letter !== undefined && part !== undefined) {
      return this.#takePart(letter, part, { receipt, text })
    }
    const lines = isLetter ? decodeLines(message) : undefined
    if (lines === undefined) this.#foreign.push(receipt)
    else this.#add(lines, [receipt])
  }

  /** @param place - `2/3` */
  #takePart(letter: string, place: string, part: Part): void {
    const [, number, count] = /^(\d{1,4})\/(\d{1,4})$/.exec(place) ?? []
    const parts = this.#parts.get(letter) ?? new Map<number, Part>()
    this.#parts.set(letter, parts.set(Number(number), part))
    if (parts.size !== Number(count)) return
    const sorted = [...parts].sort(([a], [b]) => a - b).map(([, it]) => it)
    const line = inflated(sorted.map(({ text }) => text).join(''))
    if (line === undefined) return
    this.#parts.delete(letter)
    this.#add(
      [line],
      sorted.map(({ receipt }) => receipt),
    )
  }

  #add(lines: readonly Uint8Array[], receipts: readonly string[]): void {
    this.#lines.push(...lines)
    this.#receipts.push(...receipts)
    this.#bytes += lines.reduce((sum, { length }) => sum + length, 0)
  }

  async #keep(): Promise<void> {
    if (this.#lines.length === 0) return
    const { folder, clock } = this.#options
    await this.#directory.make()
    const time = new Date(clock.wallTime()).toISOString().replace(/[:.]/g, '-')
    const path = join(folder, `${time}-${randomBytes(8).toString('hex')}.ndjson`)
    await writeSynced(nodeFileSystem, path, Buffer.concat(this.#lines))
    await nodeFileSystem.syncDirectory(folder)
    await inBatches(this.#receipts, (some) => this.#api.delete(some))
    this.#letters += this.#lines.length
    this.#lines = []
    this.#receipts = []
    this.#bytes = 0
  }

  async #giveBack(): Promise<void> {
    const parts = [...this.#parts.values()].flatMap((them) => [...them.values()])
    const receipts = [...this.#foreign, ...parts.map(({ receipt }) => receipt)]
    // Where this fails they come back when their time is over.
    await inBatches(receipts, (some) => this.#api.hide(some, 0)).catch(() => {})
  }
}

/** `undefined` for what no letter was made of. */
function inflated(text: string): Uint8Array | undefined {
  try {
    return gunzipSync(Buffer.from(text, 'base64'), { maxOutputLength: MAX_LETTER_BYTES })
  } catch {
    return undefined
  }
}

async function inBatches(
  receipts: readonly string[],
  act: (some: readonly string[]) => Promise<unknown>,
): Promise<void> {
  for (let at = 0; at < receipts.length; at += MAX_ENTRIES) await act(receipts.slice(at, at + MAX_ENTRIES))
}
