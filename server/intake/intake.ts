import type { Clock } from '../../plugin/clock.js'
import {
  type DeadLetter,
  DeadLetterShareError,
  type DeadLetterStore,
} from '../../plugin/dead-letters/dead-letter.js'
import type { DeliveryFailure, EventOutcome, MemoryHolder } from '../../plugin/destination.js'
import type { FirehoseError } from '../../plugin/errors.js'
import { type SegmentEvent, WritableEvent } from '../../plugin/event.js'
import { JsonText } from '../../plugin/json/json-text.js'
import type { Logger } from '../../plugin/logger.js'
import { unavailable } from '../http/http-problem.js'
import type { Source } from '../source.js'
import type { Claim } from './deduplicator.js'
import { logQuarantine, type Quarantined } from './quarantine-log.js'
import type { RefusedEvent } from './refused-event.js'
import type { SortedEvents, SourceEvents } from './sort-events.js'

const NO_FAILURES: readonly DeliveryFailure[] = []

export interface IntakeParts {
  readonly deadLetters: DeadLetterStore | undefined
  readonly logger: Logger
  readonly clock: Clock
}

/** What a request may deliver for one source. */
interface Share {
  readonly source: Source
  readonly claim: Claim
}

/** An event that is given up for good, for one stream or for all. */
interface GivenUp extends Quarantined {
  /** The event: one that two streams refuse is counted once. */
  readonly of: unknown
  readonly data: unknown
}

/** What became of a share. */
interface Delivered {
  readonly source: Source
  /** Asked only where something failed. */
  readonly durable: () => readonly SegmentEvent[]
  readonly quarantined: readonly GivenUp[]
  /** Why what is in neither of them may still succeed. */
  readonly error: FirehoseError | undefined
}

/**
 * Delivers the events of a request. It resolves when each is durable: delivered, or, where it never can be, a dead
 * letter. While anything may still succeed it throws, so that the sender keeps everything and sends it again; dead
 * letters are written only when nothing is sent again, so that each is written once.
 */
export class Intake {
  readonly #parts: IntakeParts
  #quarantined = 0

  constructor(parts: IntakeParts) {
    this.#parts = parts
  }

  /** Events given up since the start. */
  get quarantined(): number {
    return this.#quarantined
  }

  /**
   * @param held - memory of the request: events that become no record, such as duplicates, are held all the same
   * @throws HttpProblem 503, or 400 where nothing of the request can be delivered
   */
  async deliver({ accepted, refused, rejection }: SortedEvents, held: MemoryHolder): Promise<void> {
    const shares = await Promise.all(accepted.map(shareOf))
    let isDurable = (_event: SegmentEvent): boolean => false
    try {
      const delivered = await Promise.all(shares.map((share) => deliverShare(share, held)))
      let durable: ReadonlySet<SegmentEvent> | undefined
      isDurable = (event) => {
        durable ??= new Set(delivered.flatMap((it) => it.durable()))
        return durable.has(event)
      }
      for (const { source, error } of delivered) if (error !== undefined) throw notDelivered(error, source)
      const given = delivered.flatMap((it) => it.quarantined)
      await this.#quarantine([...refused.map(refusal), ...given])
      if (rejection !== undefined) throw rejection
      isDurable = () => true
    } finally {
      // Before waiting for others: two requests may each hold an event that the other brought too.
      await Promise.all(shares.map(({ claim }) => claim.settle(isDurable)))
    }
    const waiting = shares.filter(({ claim }) => claim.others.length > 0)
    if (waiting.length === 0) return
    const twins = await Promise.all(waiting.map(({ claim }) => Promise.all(claim.others)))
    const lost = waiting.find((_, i) => twins[i]?.includes(false))
    if (lost !== undefined) throw twinNotDelivered(lost.source)
  }

  async #quarantine(quarantined: readonly GivenUp[]): Promise<void> {
    if (quarantined.length === 0) return
    await this.#keep(quarantined)
    this.#quarantined += new Set(quarantined.map(({ of }) => of)).size
    logQuarantine(this.#parts.logger, quarantined)
  }

  async #keep(quarantined: readonly GivenUp[]): Promise<void> {
    const { deadLetters, clock, logger } = this.#parts
    if (deadLetters === undefined) return
    const at = new Date(clock.wallTime()).toISOString()
    try {
      await deadLetters.write(quarantined.map((it) => letterOf(it, at)))
    } catch (error) {
      if (error instanceof DeadLetterShareError) throw shareUsedUp(error, quarantined)
      logger.error(`Dead letters cannot be written: ${(error as Error).message}`)
      throw unavailable(
        'dead_letters_unwritable',
        'Events that cannot be delivered cannot be kept; send this again later',
      )
    }
  }
}

async function shareOf({ source, events }: SourceEvents): Promise<Share> {
  const claim = await source.duplicates?.claim(events)
  return { source, claim: claim ?? { fresh: events, others: [], settle: async () => {} } }
}

async function deliverShare({ source, claim: { fresh } }: Share, held: MemoryHolder): Promise<Delivered> {
  const outcomes = fresh.length === 0 ? [] : await source.destination.deliver(fresh, held)
  const durable = () => fresh.filter((_, i) => failuresOf(outcomes[i]).length === 0)
  const quarantined: GivenUp[] = []
  const unmapped: SegmentEvent[] = []
  let error: FirehoseError | undefined
  fresh.forEach((event, i) => {
    const failures = failuresOf(outcomes[i])
    if (outcomes[i]?.status === 'unmapped') unmapped.push(event)
    if (failures.length === 0) return
    error ??= failures.find((failure) => !failure.error.permanent)?.error
    for (const { stream, error } of failures) {
      quarantined.push({
        of: event,
        source,
        messageId: textOf(event.messageId),
        data: dataOf(event),
        stream,
        code: error.code,
        reason: error.message,
      })
    }
  })
  source.unmapped.note(unmapped)
  return { source, durable, quarantined, error }
}

function failuresOf(outcome: EventOutcome | undefined): readonly DeliveryFailure[] {
  // SECURITY: an event that was not accounted for must never be acknowledged.
  if (outcome === undefined) throw new Error('The destination gave no outcome for an event')
  return outcome.status === 'failed' ? outcome.failures : NO_FAILURES
}

/** Names no stream and no role: whoever holds a write key, as any browser does, reads this. */
function notDelivered({ code }: FirehoseError, { name }: Source) {
  return unavailable(
    'not_delivered',
    `The events could not be delivered for now (${code}); send them again later`,
    name,
  )
}

function twinNotDelivered({ name }: Source) {
  return unavailable(
    'not_delivered',
    'Another request with the same events failed for now; send them again later',
    name,
  )
}

/** SECURITY: the error has the source's ID; who reads the answer or the log gets its name. */
function shareUsedUp({ source: id }: DeadLetterShareError, quarantined: readonly GivenUp[]) {
  const name = quarantined.find(({ source }) => source?.id === id)?.source?.name
  return unavailable(
    'dead_letters_full',
    'The source has no room left for events that cannot be delivered; send this again later',
    name,
  )
}

function refusal(refused: RefusedEvent): GivenUp {
  return { ...refused, of: refused, stream: undefined }
}

function letterOf({ source, messageId, data, stream, code, reason }: GivenUp, at: string): DeadLetter {
  return {
    at,
    reason,
    code,
    source: source?.id ?? null,
    stream: stream ?? null,
    messageId: messageId ?? null,
    data,
  }
}

/** As the record would hold it, to the digit. */
function dataOf(event: SegmentEvent): unknown {
  return event instanceof WritableEvent ? new JsonText(event.toLine().subarray(0, -1)) : event
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
