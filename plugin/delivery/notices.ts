import type { Logger } from '../logger.js'

/** What the log is told about one stream: only that something changed, never each record. */
export class Notices {
  readonly #logger: Logger
  readonly #stream: string
  readonly #policyStatement: string

  /** @param policyStatement - what lets the stream be written by PutRecordBatch */
  constructor(logger: Logger, stream: string, policyStatement: string) {
    this.#logger = logger
    this.#stream = stream
    this.#policyStatement = policyStatement
  }

  parked(error: Error): void {
    this.#logger.error(
      `Stream "${this.#stream}" cannot be written, records fail until it can: ${error.message}`,
    )
  }

  recovered(): void {
    this.#logger.info(`Stream "${this.#stream}" takes records again`)
  }

  fellBackToPutRecord(): void {
    this.#logger.warn(
      `The role may not call PutRecordBatch on stream "${this.#stream}": sending by PutRecord, one record a ` +
        `call, which is slower. Add to its policy: ${this.#policyStatement}`,
    )
  }
}
