import { fixOf } from '../aws/error-fixes.js'
import type { Clock } from '../clock.js'
import type { Logger } from '../logger.js'
import type { QueueApi } from './queue-api.js'
import type { QueueLevel } from './queue-level.js'
import { warnOfLoss } from './queue-settings.js'
import type { QueueWriter } from './queue-writer.js'

/** What SQS said is as good as new for so long. */
const STATS_MS = 5_000

export interface QueueWatchParts {
  readonly api: QueueApi
  readonly clock: Clock
  readonly logger: Logger
  readonly level: QueueLevel
  readonly writer: QueueWriter
}

/** Asks SQS how the queue is, hands on what it says, and remembers whether a call has failed since. */
export class QueueWatch {
  readonly #parts: QueueWatchParts
  #lookedAt = Number.NEGATIVE_INFINITY
  #isKnown = false
  #isTroubled = false

  constructor(parts: QueueWatchParts) {
    this.#parts = parts
  }

  /** Whether a call has failed since SQS last said how the queue is. */
  get isTroubled(): boolean {
    return this.#isTroubled
  }

  /** Whether what is known is too old to be told. */
  get isStale(): boolean {
    return this.#parts.clock.now() - this.#lookedAt >= STATS_MS
  }

  /** @returns what went wrong, if anything. Never rejects. */
  async look(): Promise<Error | undefined> {
    const { api, clock, logger, level, writer } = this.#parts
    this.#lookedAt = clock.now()
    level.beginLook()
    try {
      const attributes = await api.attributes()
      level.endLook(attributes)
      writer.maxMessageBytes = Number(attributes['MaximumMessageSize'] ?? writer.maxMessageBytes)
      if (!this.#isKnown) warnOfLoss(api.queueUrl, attributes, logger)
      this.#isKnown = true
      this.#isTroubled = false
      return undefined
    } catch (error) {
      this.noteTrouble(error)
      return asError(error)
    }
  }

  /** A call has failed: the first since SQS last said how the queue is gets logged. */
  noteTrouble(error: unknown): void {
    const { api, logger } = this.#parts
    const { name, message } = asError(error)
    const fix = fixOf(error, { service: 'SQS', region: api.region })
    if (!this.#isTroubled)
      logger.warn(
        `The spill queue ${api.queueUrl} gives errors: ${name}: ${message}${fix === undefined ? '' : `; ${fix}`}`,
      )
    this.#isTroubled = true
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
