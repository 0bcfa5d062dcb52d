import type { Clock } from '../../plugin/clock.js'
import type { EventOutcome } from '../../plugin/destination.js'
import type { FirehoseError } from '../../plugin/errors.js'
import type { SegmentEvent } from '../../plugin/event.js'
import type { Logger } from '../../plugin/logger.js'
import type { DeadLetter, DeadLetterStore } from '../dead-letter.js'
import { unavailable } from '../http/http-problem.js'
import type { Source } from '../source.js'
import { logQuarantine, type Quarantined } from './quarantine-log.js'
import type { RefusedEvent, SortedEvents } from './sort-events.js'

export interface IntakeParts {
  readonly deadLetters: DeadLetterStore | undefined
  readonly logger: Logger
  readonly clock: Clock
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

  /** @throws HttpProblem 503 */
  async deliver({ accepted, refused }: SortedEvents): Promise<void> {
    const deliveries = [...accepted].map(([source, events]) => deliverTo(source, events))
    const given = (await Promise.all(deliveries)).flat()
    const quarantined = [...refused.map(refusal), ...given]
    if (quarantined.length === 0) return
    await this.#keep(quarantined)
    this.#quarantined += new Set(quarantined.map(({ event }) => event)).size
    logQuarantine(this.#parts.logger, quarantined)
  }

  async #keep(quarantined: readonly Quarantined[]): Promise<void> {
    const { deadLetters, clock, logger } = this.#parts
    if (deadLetters === undefined) return
    const at = new Date(clock.wallTime()).toISOString()
    try {
      await deadLetters.write(quarantined.map((it) => letterOf(it, at)))
    } catch (error) {
      logger.error(`Dead letters cannot be written: ${(error as Error).message}`)
      throw unavailable(
        'dead_letters_unwritable',
        'Events that cannot be delivered cannot be kept; send this again later',
      )
    }
  }
}

/** What a source's destination gave up for good. */
async function deliverTo(source: Source, events: readonly SegmentEvent[]): Promise<Quarantined[]> {
  const outcomes = await source.destination.deliver(events)
  return events.flatMap((event, i) =>
    failuresOf(outcomes[i]).map(({ stream, error }): Quarantined => {
      if (!error.permanent) throw notDelivered(error)
      return { source, event, stream, code: error.code, reason: error.message }
    }),
  )
}

function failuresOf(outcome: EventOutcome | undefined) {
  // SECURITY: an event that was not accounted for must never be acknowledged.
  if (outcome === undefined) throw new Error('The destination gave no outcome for an event')
  return outcome.status === 'failed' ? outcome.failures : []
}

/** Names no stream and no role: whoever holds a write key, as any browser does, reads this. */
function notDelivered({ code }: FirehoseError) {
  return unavailable(
    'not_delivered',
    `The events could not be delivered for now (${code}); send them again later`,
  )
}

function refusal({ source, event, code, reason }: RefusedEvent): Quarantined {
  return { source, event, stream: undefined, code, reason }
}

function letterOf({ source, event, stream, code, reason }: Quarantined, at: string): DeadLetter {
  const { messageId } = Object(event) as { messageId?: unknown }
  return {
    at,
    reason,
    code,
    source: source?.id ?? null,
    stream: stream ?? null,
    messageId: typeof messageId === 'string' ? messageId : null,
    data: event,
  }
}
