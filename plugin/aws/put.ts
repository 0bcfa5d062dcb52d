import type { PutRecordBatchResponseEntry } from '@aws-sdk/client-firehose'
import type { Clock } from '../clock.js'
import { withTimeout } from '../timeout.js'
import type { PooledClient } from './client.js'
import { describeAnswer } from './describe-error.js'
import { type ClassifiedError, classify, isOfConnection, isWithoutCredentials } from './error-classes.js'
import { explainError, type FixContext } from './error-fixes.js'
import { withoutSecrets } from './redact.js'
import { streamArn } from './stream-policy.js'

export type Api = 'PutRecord' | 'PutRecordBatch'

/** What Firehose said of one record. */
export type RecordAnswer =
  | { readonly recordId: string }
  | { readonly errorCode: string; readonly errorMessage: string }

type Refusal = ClassifiedError & { readonly error: Error }

/** What came of one call: an answer for every record, in order, or none for any. */
export type PutResult = { readonly answers: readonly RecordAnswer[] } | { readonly refusal: Refusal }

/**
 * Makes one call for `records`; PutRecord takes exactly one. Never rejects.
 *
 * @param timeoutMs - how long the call may take, a fetch of credentials included; a renewal and the call after it as long again each
 */
export type Put = (
  api: Api,
  stream: string,
  records: readonly Uint8Array[],
  timeoutMs?: number,
) => Promise<PutResult>

export interface PutOptions {
  /** Asked for at every call, as a pool may replace its clients. */
  readonly client: () => PooledClient
  /** How long a call may take that is made without a time of its own, in ms. */
  readonly requestTimeout: number
  /** SECURITY: struck out of every error. */
  readonly externalId: string | undefined
  readonly clock: Clock
  /** Where the streams are, for messages. */
  readonly region: string
  readonly roleAddress?: string | undefined
  /** ARNs of the keys of streams, by the stream's name. */
  readonly kmsKeys?: Readonly<Record<string, string>> | undefined
}

interface Call {
  readonly api: Api
  readonly stream: string
  readonly records: readonly Uint8Array[]
  readonly timeoutMs: number
}

/** Makes the function that calls Firehose and reads its answer record by record. */
export function createPut(options: PutOptions): Put {
  const { client, requestTimeout } = options
  const caller = new Caller(options)
  return async (api, stream, records, timeoutMs = requestTimeout) => {
    try {
      return await client().use((client) => caller.call(client, { api, stream, records, timeoutMs }))
    } catch (thrown) {
      // No client could be made of the settings.
      return { refusal: { ...caller.refusalOf(thrown, stream), class: 'park', throttled: false } }
    }
  }
}

/** Makes calls with the clients of one destination. */
class Caller {
  readonly #options: PutOptions
  #hasHadCredentials = false

  constructor(options: PutOptions) {
    this.#options = options
  }

  /** Once, and a second time with fresh credentials where those were refused. */
  async call(client: PooledClient, call: Call): Promise<PutResult> {
    const generation = client.credentialsGeneration
    const first = await this.#once(client, call)
    if (!('refusal' in first) || first.refusal.class !== 'reauth') return first
    // A provider that hangs must not keep the call's slot and its bytes for ever.
    const { clock } = this.#options
    await withTimeout(clock, call.timeoutMs, () => client.renewCredentials(generation)).catch(ignore)
    const second = await this.#once(client, call)
    // Fresh credentials refused as well: waiting is all that is left to try.
    if ('refusal' in second && second.refusal.class === 'reauth')
      return { refusal: { ...second.refusal, class: 'retry' } }
    return second
  }

  refusalOf(thrown: unknown, stream: string): Refusal {
    const { class: errorClass, throttled } = classify(thrown)
    const isPassing = this.#hasHadCredentials && isWithoutCredentials(thrown)
    const error = explainError(thrown, this.#contextOf(stream))
    return { class: isPassing ? 'retry' : errorClass, throttled, error }
  }

  async #once(client: PooledClient, call: Call): Promise<PutResult> {
    const { clock, externalId } = this.#options
    try {
      const answers = await send(client, call, clock, externalId)
      this.#hasHadCredentials = true
      return { answers: answers.every(isTaken) ? answers : explained(answers, this.#contextOf(call.stream)) }
    } catch (thrown) {
      if (isOfConnection(thrown)) client.dropIdleConnections()
      return { refusal: this.refusalOf(thrown, call.stream) }
    }
  }

  #contextOf(stream: string): FixContext {
    const { region, externalId, roleAddress, kmsKeys } = this.#options
    const arn = streamArn(stream, region, roleAddress)
    return { service: 'Firehose', region, externalId, roleAddress, streamArn: arn, kmsKey: kmsKeys?.[stream] }
  }
}

async function send(
  client: PooledClient,
  { api, stream, records, timeoutMs }: Call,
  clock: Clock,
  externalId: string | undefined,
): Promise<RecordAnswer[]> {
  const { puts } = client
  const put = async (abortSignal: AbortSignal) => {
    const [record] = records
    if (api === 'PutRecord' && record !== undefined) {
      const answer = await puts.putRecord(stream, record, abortSignal)
      return readAnswers(answer, [answer], 1, externalId)
    }
    const answer = await puts.putRecordBatch(stream, records, abortSignal)
    return readAnswers(answer, answer.RequestResponses, records.length, externalId)
  }
  return withTimeout(clock, timeoutMs, put, () =>
    client.isWaitingForCredentials
      ? `No AWS credentials came within ${timeoutMs} ms`
      : `No answer within ${timeoutMs} ms`,
  )
}

/** @throws where the answer does not speak of every record: then nothing is known of any */
function readAnswers(
  answer: object,
  entries: readonly PutRecordBatchResponseEntry[] | undefined,
  expected: number,
  externalId: string | undefined,
): RecordAnswer[] {
  if (!Array.isArray(entries) || entries.length !== expected) {
    const what = describeAnswer(answer, externalId)
    throw new Error(`The answer tells of ${entries?.length ?? 'no'} records, ${expected} were sent${what}`)
  }
  return entries.map((entry: PutRecordBatchResponseEntry | null) => {
    if (entry?.RecordId && !entry.ErrorCode) return { recordId: entry.RecordId }
    return {
      errorCode: entry?.ErrorCode ?? 'MissingRecordId',
      errorMessage: entry?.ErrorMessage ?? 'the answer has no RecordId',
    }
  })
}

function isTaken(answer: RecordAnswer): boolean {
  return 'recordId' in answer
}

/** With the region, the code and the fix in each message. Hundreds may say the same: each text is made once. */
function explained(answers: readonly RecordAnswer[], context: FixContext): RecordAnswer[] {
  const messages = new Map<string, string>()
  return answers.map((answer) => {
    if ('recordId' in answer) return answer
    const { errorCode, errorMessage } = answer
    const key = `${errorCode} ${errorMessage}`
    if (!messages.has(key)) {
      const said = { name: errorCode, $fault: 'server', $metadata: { httpStatusCode: 200 } }
      messages.set(key, explainError(Object.assign(new Error(errorMessage), said), context).message)
    }
    return {
      errorCode: withoutSecrets(errorCode, context.externalId),
      errorMessage: messages.get(key) ?? errorMessage,
    }
  })
}

/** The call that follows fails in its turn, and says why. */
function ignore(): void {}
