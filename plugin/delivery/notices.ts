import type { Logger } from '../logger.js'

/** What the log is told about one stream: only that something changed, never each record. */
export class Notices {
  readonly #logger: Logger
  readonly #stream: string
  readonly #policyStatement: string
  readonly #fate: string
  #state: 'well' | 'stalled' | 'parked' = 'well'

  /**
   * @param policyStatement - what lets the stream be written by PutRecordBatch
   * @param isSpilling - whether records that are not delivered are kept
   */
  constructor(logger: Logger, stream: string, policyStatement: string, isSpilling = false) {
    this.#logger = logger
    this.#stream = stream
    this.#policyStatement = policyStatement
    this.#fate = isSpilling ? 'are spilled' : 'fail'
  }

  /** Records passed their deadline; told once, until the stream recovers. */
  stalled(timeoutMs: number, cause: Error | undefined): void {
    if (this.#state !== 'well') return
    this.#state = 'stalled'
    const why = cause?.message ?? 'no answer yet'
    this.#logger.warn(
      `Stream "${this.#stream}" takes no records, they ${this.#fate} after ${timeoutMs} ms: ${why}`,
    )
  }

  /** The circuit opened; told once, until the stream recovers. */
  parked(error: Error): void {
    if (this.#state === 'parked') return
    this.#state = 'parked'
    this.#logger.error(
      `Stream "${this.#stream}" cannot be written, records ${this.#fate} until it can: ${error.message}`,
    )
  }

  /** The stream took something. */
  recovered(): void {
    if (this.#state === 'well') return
    this.#state = 'well'
    this.#logger.info(`Stream "${this.#stream}" takes records again`)
  }

  fellBackToPutRecord(): void {
    this.#logger.warn(
      `The role may not call PutRecordBatch on stream "${this.#stream}": sending by PutRecord, one record a ` +
        `call, which is slower. Add to its policy: ${this.#policyStatement}`,
    )
  }
}
