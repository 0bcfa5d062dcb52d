import { fixOf } from '../aws/error-fixes.js'
import type { Clock } from '../clock.js'
import { FirehoseError } from '../errors.js'
import type { Logger } from '../logger.js'
import type { DeadLetterConfiguration } from '../settings/dead-letter-settings.js'
import { GroupCommit } from '../spill/group-commit.js'
import { withTimeout } from '../timeout.js'
import { turns } from '../turns.js'
import type { DeadLetter, DeadLetterStore } from './dead-letter.js'
import {
  batchOf,
  fittingBatches,
  type LetterBatch,
  type LetterLines,
  linesOf,
  sizeOfBatches,
} from './letter-line.js'

/**
 * SECURITY: whoever holds a write key can send what becomes a dead letter, and each object or message costs money. What
 * comes more often goes together.
 */
const MIN_INTERVAL_MS = 250
/** What goes together at most, but for a single request that has more. */
const MAX_ROUND_BYTES = 8 * 1024 * 1024
/** With all retries. SDKs give up on a request to the proxy after 8 to 10 s: there must be time for an answer. */
const WRITE_TIMEOUT_MS = 4_000
/** Between two tries of a place that could not be used at the start. */
const RETRY_MS = 60_000

/** Where lines of dead letters can be put, outside of this machine. */
export interface LetterPlace {
  /** @throws why no letter could be written now */
  tryOut(): Promise<void>
  /** Resolves when they will outlive a power cut. */
  write(lines: readonly Uint8Array[]): Promise<void>
  close(): void
}

export type RemoteConfiguration = Exclude<DeadLetterConfiguration, { readonly kind: 'directory' }>

export interface RemoteLettersOptions {
  readonly configuration: RemoteConfiguration
  /** Rejects where the place can never be used by this process. */
  readonly open: () => Promise<LetterPlace>
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Dead letters in an SQS queue or a bucket of S3. All that wait at a time go together, in the order in which they came.
 *
 * The place is tried at the start, so that a wrong name or policy is logged then and not with the first bad event. A
 * place that cannot be reached then is no reason not to start: writes are tried all the same, and reject while it is away.
 */
export class RemoteLetters implements DeadLetterStore {
  readonly #options: RemoteLettersOptions
  readonly #place: Promise<LetterPlace>
  readonly #group = new GroupCommit<LetterBatch>({
    commit: (round) => this.#commit(round),
    roundSize: (waiting) => fittingBatches(waiting, MAX_ROUND_BYTES),
    turn: () => this.#turn(),
  })
  /** By `now()`. */
  #nextRoundAt = Number.NEGATIVE_INFINITY
  #hasFailed = false
  #cancelRetry = () => {}
  #isClosed = false

  constructor(options: RemoteLettersOptions) {
    this.#options = options
    this.#place = options.open()
    void this.#tryOut()
  }

  async write(letters: readonly DeadLetter[]): Promise<void> {
    if (letters.length === 0) return
    await this.#group.add(batchOf(letters))
  }

  close(): void {
    this.#isClosed = true
    this.#cancelRetry()
    this.#place.then(
      (place) => place.close(),
      () => {},
    )
  }

  async #commit(round: readonly (LetterBatch & { resolve(): void })[]): Promise<void> {
    try {
      const { clock } = this.#options
      const place = await this.#place
      const lines = each(await turns.run(linesOf(round), sizeOfBatches(round)))
      await withTimeout(
        clock,
        WRITE_TIMEOUT_MS,
        () => place.write(lines),
        () => `AWS did not answer within ${WRITE_TIMEOUT_MS} ms`,
      )
    } catch (error) {
      throw new Error(wordsFor(this.#options.configuration, error), { cause: error })
    }
    for (const { resolve } of round) resolve()
  }

  async #turn(): Promise<void> {
    const { clock } = this.#options
    const waitMs = this.#nextRoundAt - clock.now()
    if (waitMs > 0) await new Promise<void>((resolve) => clock.after(waitMs, resolve))
    this.#nextRoundAt = clock.now() + MIN_INTERVAL_MS
  }

  async #tryOut(): Promise<void> {
    const { configuration, logger, clock } = this.#options
    try {
      await (await this.#place).tryOut()
      if (this.#hasFailed) logger.info(`The dead letters can be kept: ${placeOf(configuration)} can be used`)
    } catch (error) {
      if (this.#isClosed) return
      if (!this.#hasFailed)
        logger.error(
          `${wordsFor(configuration, error)}. Until then a request that holds an event which can never be delivered is ` +
            'answered 503',
        )
      this.#hasFailed = true
      this.#cancelRetry = clock.after(RETRY_MS, () => void this.#tryOut())
    }
  }
}

/**
 * Why letters cannot be kept at a place, and what to do about it.
 *
 * @param error - of AWS, or of the settings
 */
export function wordsFor(configuration: RemoteConfiguration, error: unknown): string {
  if (error instanceof FirehoseError) return error.message.split('\n').at(-1)?.trim() ?? error.message
  const { name, message } = error instanceof Error ? error : new Error(String(error))
  const { region } = configuration
  const fix = fixFor(configuration, error, name)
  return `deadLetters: ${placeOf(configuration)} cannot be written in ${region} (${name}: ${message})${fix && `; ${fix}`}`
}

function placeOf(configuration: RemoteConfiguration): string {
  if (configuration.kind === 'queue') return `the SQS queue ${configuration.queueUrl}`
  return `s3://${configuration.bucket}/${configuration.prefix}`
}

function fixFor(configuration: RemoteConfiguration, error: unknown, name: string): string {
  const isQueue = configuration.kind === 'queue'
  if (/^AccessDenied|KMS|Kms/.test(name)) {
    const allowed = isQueue
      ? 'sqs:SendMessage on it'
      : `s3:PutObject on arn:aws:s3:::${configuration.bucket}/${configuration.prefix}*`
    return `allow ${allowed}, and kms:GenerateDataKey and kms:Decrypt where a key of your own encrypts it`
  }
  if (/^NoSuchBucket|QueueDoesNotExist|NonExistentQueue/.test(name))
    return `make the ${isQueue ? 'queue' : 'bucket'}, or mend its name or region`
  if (/^(AuthorizationHeaderMalformed|PermanentRedirect|IllegalLocationConstraint)/.test(name))
    return 'give the region of the bucket'
  return fixOf(error, { service: isQueue ? 'SQS' : 'S3', region: configuration.region }) ?? ''
}

function each({ bytes, ends }: LetterLines): Buffer[] {
  return ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end))
}
