import type { ErrorCode } from '../errors.js'

/** Why an event can never be delivered. */
export type DeadLetterCode = ErrorCode | 'ERR_INVALID_EVENT' | 'ERR_UNKNOWN_WRITE_KEY' | 'ERR_MALFORMED_BODY'

/** An event that can never be delivered, as one line of a dead-letter file holds it. */
export interface DeadLetter {
  /** When it was given up, ISO 8601. */
  readonly at: string
  /** For people. */
  readonly reason: string
  readonly code: DeadLetterCode
  /** The source's ID; `null` where the event has no known write key. */
  readonly source: string | null
  /** The stream that did not take it; `null` where it did not get that far. */
  readonly stream: string | null
  readonly messageId: string | null
  /**
   * The event, without its write key and before any `transform`, as a value or as `JsonText`. Of `ERR_MALFORMED_BODY`
   * it is what came instead: `{ body, encoding, position, offset, endpoint, userAgent }`.
   */
  readonly data: unknown
}

/** How many bytes a directory of dead letters holds. */
export interface DeadLetterUsage {
  /** Of all files, other than dead letters too. */
  readonly bytes: number
  /** By the source's ID; `null` stands for events of no known source. */
  readonly bySource: ReadonlyMap<string | null, number>
}

/** Where dead letters are kept. */
export interface DeadLetterStore {
  /**
   * Resolves when they will outlive a power cut.
   *
   * @throws DeadLetterShareError where a source has used up its share; the error of the disk or service otherwise
   */
  write(letters: readonly DeadLetter[]): Promise<void>
  /** How much is kept, where the store knows that. */
  usage?(): DeadLetterUsage
}

/** A source has used up its share of the dead letters: nothing of the write was kept. */
export class DeadLetterShareError extends Error {
  override readonly name = 'DeadLetterShareError'
  /** The source's ID; `null` for events of no known source. SECURITY: an external ID, mostly; never in a message. */
  readonly source: string | null

  constructor(source: string | null) {
    super('A source has used up its share of the dead letters; replay them, or move files away')
    this.source = source
  }
}
