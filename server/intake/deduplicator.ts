import { createHash } from 'node:crypto'
import type { SegmentEvent } from '../../plugin/event.js'
import type { Logger } from '../../plugin/logger.js'
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

interface InFlight {
  readonly durable: Promise<boolean>
  readonly resolve: (durable: boolean) => void
}

/**
 * Keeps an event that comes twice from being delivered twice, by `messageId`. An ID is remembered only once its event
 * is durable, so that one that failed may come again. A twin that comes while the first is being delivered shares its
 * outcome.
 */
export class Deduplicator {
  readonly #store: DuplicateStore
  readonly #logger: Logger
  readonly #inFlight = new Map<string, InFlight>()
  #duplicates = 0

  constructor(store: DuplicateStore, logger: Logger) {
    this.#store = store
    this.#logger = logger
  }

  /** Events that were not delivered because they had been, since the start. */
  get duplicates(): number {
    return this.#duplicates
  }

  /** What is claimed is claimed when this returns its promise: two requests cannot both have it. */
  async claim(events: readonly SegmentEvent[]): Promise<Claim> {
    const claimed = new Map<string, SegmentEvent>()
    const others: Promise<boolean>[] = []
    for (const event of events) {
      const id = idOf(event)
      const twin = this.#inFlight.get(id)
      if (twin === undefined) {
        this.#inFlight.set(id, inFlight())
        claimed.set(id, event)
      } else {
        others.push(twin.durable)
      }
    }
    const known = await this.#known([...claimed.keys()])
    this.#end(known, () => true)
    for (const id of known) claimed.delete(id)
    this.#duplicates += known.size + others.length
    return {
      fresh: [...claimed.values()],
      others,
      settle: (isDurable) => this.#settle(claimed, isDurable),
    }
  }

  async #settle(
    claimed: ReadonlyMap<string, SegmentEvent>,
    isDurable: (event: SegmentEvent) => boolean,
  ): Promise<void> {
    const durable = new Set([...claimed].filter(([, event]) => isDurable(event)).map(([id]) => id))
    try {
      await this.#store.remember([...durable])
    } catch (error) {
      this.#tell(error)
    }
    this.#end(claimed.keys(), (id) => durable.has(id))
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

  #end(ids: Iterable<string>, isDurable: (id: string) => boolean): void {
    for (const id of ids) {
      this.#inFlight.get(id)?.resolve(isDurable(id))
      this.#inFlight.delete(id)
    }
  }

  #tell(error: unknown): void {
    this.#logger.error(`Duplicates cannot be told for now: ${error instanceof Error ? error.message : error}`)
  }
}

function inFlight(): InFlight {
  let resolve: InFlight['resolve'] = () => {}
  const durable = new Promise<boolean>((done) => {
    resolve = done
  })
  return { durable, resolve }
}

/** Normalisation has given every event an ID that is a string. */
function idOf({ messageId }: SegmentEvent): string {
  const id = String(messageId)
  return id.length > MAX_ID_LENGTH ? createHash('sha256').update(id).digest('base64') : id
}
