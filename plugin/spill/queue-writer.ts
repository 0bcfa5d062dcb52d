import type { Clock } from '../clock.js'
import { GroupCommit, type Waiting } from './group-commit.js'
import { byteLength } from './lines.js'
import { type MessageGroup, MessageSender, type SentMessage } from './message-sender.js'
import { oldestTime, type Pack, type Parcel, pack } from './packing.js'
import type { QueueApi } from './queue-api.js'
import { encodeMessages } from './queue-message.js'
import { UnfitRecordError } from './spill.js'

/** What is encoded at a time: its copies are memory that nobody else counts. */
const MAX_ROUND_BYTES = 8 * 1024 * 1024

/** A message of the spill that SQS has. */
export interface SentRecords {
  readonly id: string
  readonly records: number
  /** When the oldest of them was spilled, in ms since 1970. */
  readonly time: number
  readonly bytes: number
}

/**
 * Sends records to the queue. What comes while a round is under way waits for the next, which has as few messages a
 * target as hold all of it.
 */
export class QueueWriter {
  readonly #sender: MessageSender
  readonly #group = new GroupCommit<Parcel>({ commit: (round) => this.#commit(round), roundSize })

  constructor(api: QueueApi, clock: Clock, onSent: (message: SentRecords) => void) {
    this.#sender = new MessageSender(api, clock, 'the spill', (message) => onSent(sentRecords(message)))
  }

  /** What the queue says that it takes as one message. */
  set maxMessageBytes(bytes: number) {
    this.#sender.maxMessageBytes = bytes
  }

  /** Resolves when SQS has all of the parcel; where it rejects, SQS may have some of it. */
  write(parcel: Parcel): Promise<void> {
    return this.#group.add(parcel)
  }

  idle(): Promise<void> {
    return this.#group.idle()
  }

  async #commit(parcels: readonly Waiting<Parcel>[]): Promise<void> {
    const packs = pack(parcels, this.#sender.maxBodyBytes)
    const errors = await this.#sender.send(packs.map(groupOf))
    const apart: Waiting<Parcel>[] = []
    for (const [index, { parcels }] of packs.entries()) {
      const error = errors[index]
      if (error instanceof UnfitRecordError && parcels.length > 1) apart.push(...parcels)
      else for (const parcel of parcels) settle(parcel, error)
    }
    await this.#commitApart(apart)
  }

  /** A record that is too large fails its own parcel, and not those that it was packed with. */
  async #commitApart(parcels: readonly Waiting<Parcel>[]): Promise<void> {
    if (parcels.length === 0) return
    const packs = parcels.flatMap((parcel) => pack([parcel], this.#sender.maxBodyBytes))
    const errors = await this.#sender.send(packs.map(groupOf))
    for (const [index, { parcels }] of packs.entries())
      for (const parcel of parcels) settle(parcel, errors[index])
  }
}

function settle(parcel: Waiting<Parcel>, error: unknown): void {
  if (error === undefined) parcel.resolve()
  else parcel.reject(error)
}

function groupOf({ target, parcels, files }: Pack<Parcel>): MessageGroup {
  const time = oldestTime(parcels)
  return {
    encode: (maxBodyBytes) =>
      files.flatMap((records) => encodeMessages({ target, records, time }, maxBodyBytes)),
  }
}

function sentRecords({ id, lines, bytes, attributes }: SentMessage): SentRecords {
  return { id, records: lines, bytes, time: Number(attributes['time']?.StringValue) }
}

/** The parcels at the head that make a round. */
function roundSize(waiting: readonly Parcel[]): number {
  let count = 0
  for (let bytes = 0; count < waiting.length && bytes < MAX_ROUND_BYTES; count++)
    bytes += byteLength(waiting[count]?.records ?? [])
  return count
}
