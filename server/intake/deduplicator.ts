import { createHash } from 'node:crypto'
import type { Clock } from '../../plugin/clock.js'
import type { SegmentEvent } from '../../plugin/event.js'
import type { Logger } from '../../plugin/logger.js'
import { MinuteNotices } from '../minute-notices.js'
import type { DuplicateStore } from './duplicate-store.js'

/** A longer ID is remembered by its digest. SECURITY: senders choose its length. */
const MAX_ID_LENGTH = 128

/** What a request may deliver of the events that it brought. */
export interface Claim {
  /** The events that nobody has delivered and nobody is delivering. */
  readonly fresh: readonly SegmentEvent[]
  /** Whether each of the others is durable in the end: they are being delivered by another request, or by this one. */
  readonly others: readonly Promise<boolean>[]
  /** Must be called once for each claim: tells which of the fresh events are durable. Never rejects. */
  settle(isDurable: (event: SegmentEvent) => boolean): Promise<void>
}

/**
 * Keeps an event that comes twice from being delivered twice, by `messageId`. An ID is remembered only once its event
 * is durable, so that one that failed may come again. A twin that comes while the first is being delivered shares its
 * outcome.
 */
export class Deduplicator {
  readonly #store: DuplicateStore
  readonly #notices: MinuteNotices
  /** By ID. One object for all events of a claim: they are many, and twins are few. */
  readonly #inFlight = new Map<string, Waiting>()
  #duplicates = 0

  constructor(store: DuplicateStore, logger: Logger, clock: Clock) {
    this.#store = store
    this.#notices = new MinuteNotices(logger, clock)
  }

  /** Events that were not delivered because they had been, since the start. */
  get duplicates(): number {
    return this.#duplicates
  }

  /** What is claimed is claimed when this returns its promise: two requests cannot both have it. */
  async claim(events: readonly SegmentEvent[]): Promise<Claim> {
    const ids: string[] = []
    const fresh: SegmentEvent[] = []
    const others: Promise<boolean>[] = []
    const waiting = new Waiting()
    for (const event of events) {
      const id = idOf(event)
      const twin = this.#inFlight.get(id)
      if (twin === undefined) {
        this.#inFlight.set(id, waiting)
        ids.push(id)
        fresh.push(event)
      } else {
        others.push(twin.outcomeOf(id))
      }
    }
    const known = await this.#known(ids)
    for (const id of known) this.#end(id, true)
    this.#duplicates += known.size + others.length
    const isFresh = (_: unknown, i: number) => !known.has(ids[i] as string)
    const claimed =
      known.size === 0 ? { ids, fresh } : { ids: ids.filter(isFresh), fresh: fresh.filter(isFresh) }
    return { fresh: claimed.fresh, others, settle: (isDurable) => this.#settle(claimed, isDurable) }
  }

  async #settle(
    { ids, fresh }: { readonly ids: readonly string[]; readonly fresh: readonly SegmentEvent[] },
    isDurable: (event: SegmentEvent) => boolean,
  ): Promise<void> {
    const outcomes = fresh.map(isDurable)
    const durable = outcomes.includes(false) ? ids.filter((_, i) => outcomes[i]) : ids
    try {
      await this.#store.remember(durable)
    } catch (error) {
      this.#tell(error)
    }
    ids.forEach((id, i) => {
      this.#end(id, outcomes[i] === true)
    })
  }

  /** A store that fails makes duplicates, never losses. */
  async #known(ids: readonly string[]): Promise<ReadonlySet<string>> {
    try {
      return await this.#store.known(ids)
    } catch (error) {
      this.#tell(error)
      return new Set()
    }
  }

  #end(id: string, isDurable: boolean): void {
    this.#inFlight.get(id)?.end(id, isDurable)
    this.#inFlight.delete(id)
  }

  #tell(error: unknown): void {
    const why = error instanceof Error ? error.message : String(error)
    this.#notices.note('failed', (count) => `Duplicates cannot be told for now, ${count} time(s): ${why}`)
  }
}

/** Those who wait for events that another has claimed. */
class Waiting {
  #resolvers: Map<string, ((isDurable: boolean) => void)[]> | undefined

  outcomeOf(id: string): Promise<boolean> {
    return new Promise((resolve) => {
      this.#resolvers ??= new Map()
      const resolvers = this.#resolvers.get(id)
      if (resolvers === undefined) this.#resolvers.set(id, [resolve])
      else resolvers.push(resolve)
    })
  }

  end(id: string, isDurable: boolean): void {
    for (const resolve of this.#resolvers?.get(id) ?? []) resolve(isDurable)
  }
}

/** Normalisation has given every event an ID that is a string. */
function idOf({ messageId }: SegmentEvent): string {
  const id = String(messageId)
  if (id.length <= MAX_ID_LENGTH) return id
  // As UTF-16: in UTF-8 all lone surrogates are one.
  return createHash('sha256').update(Buffer.from(id, 'utf16le')).digest('base64')
}
