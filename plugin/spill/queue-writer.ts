import { classify } from '../aws/error-classes.js'
import { backoffMs } from '../backoff.js'
import type { Clock } from '../clock.js'
import { GroupCommit, type Waiting } from './group-commit.js'
import { byteLength } from './lines.js'
import { oldestTime, type Pack, type Parcel, pack } from './packing.js'
import { MAX_ENTRIES, type QueueApi } from './queue-api.js'
import { ATTRIBUTES_BYTES, encodeMessages, type OutgoingMessage } from './queue-message.js'

/**
 * A message at most, and all of a SendMessageBatch together.
 * Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
 */
const MAX_CALL_BYTES = 1_048_576

/** What is encoded at a time: its copies are memory that nobody else counts. */
const MAX_ROUND_BYTES = 8 * 1024 * 1024
const MAX_CALLS_AT_ONCE = 4
const MAX_TRIES = 4
/** A call may take as long again; whoever waits for the append has given up by then. */
const RETRY_FOR_MS = 4_000
const MAX_BACKOFF_MS = 1_000

/** A message on its way, and whom to tell. */
interface Draft {
  readonly pack: Pack<Waiting<Parcel>>
  readonly message: OutgoingMessage
}

/** A message that SQS has, by the ID that it gave it. */
export interface SentMessage extends OutgoingMessage {
  readonly id: string
}

/**
 * Sends records to the queue. What comes while a round is under way waits for the next, which has as few messages a
 * target as hold all of it.
 */
export class QueueWriter {
  readonly #api: QueueApi
  readonly #clock: Clock
  readonly #onSent: (message: SentMessage) => void
  /** What the queue takes as one message. */
  maxMessageBytes = MAX_CALL_BYTES
  readonly #group = new GroupCommit<Parcel>({ commit: (round) => this.#commit(round), roundSize })

  constructor(api: QueueApi, clock: Clock, onSent: (message: SentMessage) => void) {
    this.#api = api
    this.#clock = clock
    this.#onSent = onSent
  }

  /** Resolves when SQS has all of the parcel; where it rejects, SQS may have some of it. */
  write(parcel: Parcel): Promise<void> {
    return this.#group.add(parcel)
  }

  idle(): Promise<void> {
    return this.#group.idle()
  }

  get #maxBodyBytes(): number {
    return Math.min(this.maxMessageBytes, MAX_CALL_BYTES) - ATTRIBUTES_BYTES
  }

  async #commit(parcels: readonly Waiting<Parcel>[]): Promise<void> {
    const packs = pack(parcels, this.#maxBodyBytes)
    const batches = batch(packs.flatMap((one) => this.#drafts(one)))
    const failed = new Map<Pack<Waiting<Parcel>>, unknown>()
    const sendNext = async () => {
      for (let drafts = batches.shift(); drafts; drafts = batches.shift()) await this.#send(drafts, failed)
    }
    await Promise.all(Array.from({ length: MAX_CALLS_AT_ONCE }, sendNext))
    for (const one of packs)
      for (const parcel of one.parcels)
        if (failed.has(one)) parcel.reject(failed.get(one))
        else parcel.resolve()
  }

  /** A record that is too large fails its own parcel, which is settled then, and not those it was packed with. */
  #drafts(whole: Pack<Waiting<Parcel>>): Draft[] {
    const { target, parcels, files } = whole
    const time = oldestTime(parcels)
    try {
      return files
        .flatMap((records) => encodeMessages({ target, records, time }, this.#maxBodyBytes))
        .map((message) => ({ pack: whole, message }))
    } catch (error) {
      const [first] = parcels
      if (first && parcels.length === 1) {
        first.reject(error)
        return []
      }
      const alone = parcels.flatMap((parcel) => pack([parcel], this.#maxBodyBytes))
      // The messages stand for the whole pack all the same, so that whoever is in it waits for all of them.
      return alone.flatMap((one) => this.#drafts(one)).map(({ message }) => ({ pack: whole, message }))
    }
  }

  async #send(drafts: readonly Draft[], failed: Map<Pack<Waiting<Parcel>>, unknown>): Promise<void> {
    const start = this.#clock.now()
    let left = drafts
    for (let tries = 1; left.length > 0; tries++) {
      const { again, error } = await this.#try(left, failed)
      left = again
      if (left.length === 0) return
      if (tries === MAX_TRIES || this.#clock.now() - start >= RETRY_FOR_MS) {
        for (const { pack } of left) failed.set(pack, error)
        return
      }
      const pauseMs = backoffMs(tries - 1, this.#clock, 100, MAX_BACKOFF_MS)
      await new Promise<void>((resolve) => this.#clock.after(pauseMs, resolve))
    }
  }

  /** One call: which drafts may succeed another time, and why they did not now. */
  async #try(drafts: readonly Draft[], failed: Map<Pack<Waiting<Parcel>>, unknown>) {
    try {
      const { ids, failures } = await this.#api.send(drafts.map(({ message }) => message))
      const failedAt = new Map(failures.map((failure) => [failure.index, failure]))
      const again: Draft[] = []
      let error: Error | undefined
      for (const [index, draft] of drafts.entries()) {
        const failure = failedAt.get(index)
        if (failure === undefined) this.#onSent({ ...draft.message, id: ids.get(index) ?? '' })
        else {
          error = new Error(`SQS did not take a message of the spill (${failure.reason})`)
          if (failure.class === 'retry' || failure.class === 'reauth') again.push(draft)
          else failed.set(draft.pack, error)
        }
      }
      return { again, error }
    } catch (error) {
      const { class: kind } = classify(error)
      if (kind === 'retry' || kind === 'reauth') return { again: drafts, error }
      for (const { pack } of drafts) failed.set(pack, error)
      return { again: [], error }
    }
  }
}

/** The parcels at the head that make a round. */
function roundSize(waiting: readonly Parcel[]): number {
  let count = 0
  for (let bytes = 0; count < waiting.length && bytes < MAX_ROUND_BYTES; count++)
    bytes += byteLength(waiting[count]?.records ?? [])
  return count
}

/** As few calls as hold the messages. */
function batch(drafts: readonly Draft[]): Draft[][] {
  const batches: Draft[][] = []
  let bytes = 0
  for (const draft of drafts) {
    const last = batches.at(-1)
    if (last && last.length < MAX_ENTRIES && bytes + draft.message.bytes <= MAX_CALL_BYTES) last.push(draft)
    else {
      batches.push([draft])
      bytes = 0
    }
    bytes += draft.message.bytes
  }
  return batches
}
