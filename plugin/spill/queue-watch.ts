import { fixOf } from '../aws/error-fixes.js'
import type { Clock } from '../clock.js'
import type { Logger } from '../logger.js'
import type { QueueApi } from './queue-api.js'
import type { QueueLevel } from './queue-level.js'
import { unusable, warnOfLoss } from './queue-settings.js'
import type { QueueWriter } from './queue-writer.js'
import { TroubleLog } from './trouble-log.js'

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
  #lastError: unknown
  readonly #trouble: TroubleLog

  constructor(parts: QueueWatchParts) {
    this.#parts = parts
    this.#trouble = new TroubleLog(parts.logger, parts.clock)
  }

  /** Whether a call has failed since SQS last said how the queue is. */
  get isTroubled(): boolean {
    return this.#isTroubled
  }

  /** The error of the last call that failed. */
  get lastError(): unknown {
    return this.#lastError
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
      const maxMessageBytes = attributes['MaximumMessageSize']
      if (maxMessageBytes !== undefined) writer.maxMessageBytes = Number(maxMessageBytes)
      if (!this.#isKnown) warnOfLoss(api.queueUrl, attributes, logger)
      this.#isKnown = true
      this.#isTroubled = false
      this.#trouble.over()
      return undefined
    } catch (error) {
      this.noteTrouble(error)
      return asError(error)
    }
  }

  /** A call has failed: it is logged where the cause is another one than that of the last trouble. */
  noteTrouble(error: unknown): void {
    const { api } = this.#parts
    const { name, message } = asError(error)
    const final = unusable(api, error)
    const fix = fixOf(error, { service: 'SQS', region: api.region })
    const advice = fix === undefined ? '' : `; ${fix}`
    this.#trouble.note(
      name,
      final?.message ?? `The spill queue ${api.queueUrl} gives errors: ${name}: ${message}${advice}`,
    )
    this.#isTroubled = true
    this.#lastError = error
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
