import type { Logger } from '../logger.js'

/** What the log calls a stream: `"new_users"`, or `"new_users" of Website` where it has an owner. */
export function streamName(stream: string, owner: (() => string) | undefined): string {
  return owner === undefined ? `"${stream}"` : `"${stream}" of ${owner()}`
}

export interface NoticesOptions {
  readonly logger: Logger
  readonly stream: string
  /** Whose stream it is, asked at each notice. @default not told */
  readonly owner?: (() => string) | undefined
  /** What lets the stream be written by PutRecordBatch. */
  readonly policyStatement: string
  /** Whether records that are not delivered are kept. */
  readonly isSpilling: boolean
}

/** What the log is told about one stream: only that something changed, never each record. */
export class Notices {
  readonly #logger: Logger
  readonly #name: () => string
  readonly #policyStatement: string
  readonly #fate: string
  #state: 'well' | 'stalled' | 'parked' = 'well'
  /** What was logged of the circuit: another cause is logged again, as its fix is another one. */
  #parkedBy = ''

  constructor({ logger, stream, owner, policyStatement, isSpilling }: NoticesOptions) {
    this.#logger = logger
    this.#name = () => streamName(stream, owner)
    this.#policyStatement = policyStatement
    this.#fate = isSpilling ? 'are spilled' : 'fail'
  }

  /** Records passed their deadline; told once, until the stream recovers. */
  stalled(timeoutMs: number, cause: Error | undefined): void {
    if (this.#state !== 'well') return
    this.#state = 'stalled'
    const why = cause?.message ?? 'no answer yet'
    this.#logger.warn(
      `Stream ${this.#name()} takes no records, they ${this.#fate} after ${timeoutMs} ms: ${why}`,
    )
  }

  /** The circuit opened, or stays open: each cause is logged once in a row, until the stream recovers. */
  parked(error: Error): void {
    const cause = causeOf(error)
    if (this.#state === 'parked' && this.#parkedBy === cause) return
    this.#state = 'parked'
    this.#parkedBy = cause
    this.#logger.error(
      `Stream ${this.#name()} cannot be written, records ${this.#fate} until it can: ${error.message}`,
    )
  }

  /** The stream took something. */
  recovered(): void {
    if (this.#state === 'well') return
    this.#state = 'well'
    this.#logger.info(`Stream ${this.#name()} takes records again`)
  }

  fellBackToPutRecord(): void {
    this.#logger.warn(
      `The role may not call PutRecordBatch on stream ${this.#name()}: sending by PutRecord, one record a ` +
        `call, which is slower. Add to its policy: ${this.#policyStatement}`,
    )
  }
}

/** By the names of the error and of those below it: messages may name something else each time. */
function causeOf(error: Error): string {
  const names: string[] = []
  for (let at: unknown = error; at instanceof Error && names.length < 5; at = at.cause) names.push(at.name)
  return names.join('/')
}
