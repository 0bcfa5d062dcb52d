import type { PutRecordBatchResponseEntry } from '@aws-sdk/client-firehose'
import type { Clock } from '../clock.js'
import type { PooledClient } from './client.js'
import { type ClassifiedError, classify, isWithoutCredentials } from './error-classes.js'
import { redact, withoutSecrets } from './redact.js'

export type Api = 'PutRecord' | 'PutRecordBatch'

/** What Firehose said of one record. */
export type RecordAnswer =
  | { readonly recordId: string }
  | { readonly errorCode: string; readonly errorMessage: string }

/** What came of one call: an answer for every record, in order, or none for any. */
export type PutResult =
  | { readonly answers: readonly RecordAnswer[] }
  | { readonly refusal: ClassifiedError & { readonly error: Error } }

/** Makes one call for `records`; PutRecord takes exactly one. Never rejects. */
export type Put = (api: Api, stream: string, records: readonly Uint8Array[]) => Promise<PutResult>

export interface PutOptions {
  /** Asked for at every call, as a pool may replace its clients. */
  readonly client: () => PooledClient
  /** How long a call may take, in ms, a fetch of credentials included; a renewal and the call after it as long again each. */
  readonly requestTimeout: number
  /** SECURITY: struck out of every error. */
  readonly externalId: string | undefined
  readonly clock: Clock
}

/** Makes the function that calls Firehose and reads its answer record by record. */
export function createPut({ client, requestTimeout, externalId, clock }: PutOptions): Put {
  let hasHadCredentials = false

  const told = (answer: RecordAnswer): RecordAnswer =>
    'recordId' in answer
      ? answer
      : {
          errorCode: withoutSecrets(answer.errorCode, externalId),
          errorMessage: withoutSecrets(answer.errorMessage, externalId),
        }

  const once = async (client: PooledClient, api: Api, stream: string, records: readonly Uint8Array[]) => {
    try {
      const answers = await call(client, api, stream, records, requestTimeout, clock)
      hasHadCredentials = true
      return { answers: answers.map(told) }
    } catch (thrown) {
      const error = redact(thrown, externalId)
      const { class: errorClass, throttled } = classify(error)
      const isPassing = hasHadCredentials && isWithoutCredentials(error)
      return { refusal: { class: isPassing ? 'retry' : errorClass, throttled, error } }
    }
  }

  const withFreshCredentials = async (
    client: PooledClient,
    api: Api,
    stream: string,
    records: readonly Uint8Array[],
  ): Promise<PutResult> => {
    const generation = client.credentialsGeneration
    const first = await once(client, api, stream, records)
    if (first.refusal?.class !== 'reauth') return first
    // A provider that hangs must not keep the call's slot and its bytes for ever.
    await withTimeout(clock, requestTimeout, () => client.renewCredentials(generation)).catch(ignore)
    const second = await once(client, api, stream, records)
    // Fresh credentials refused as well: waiting is all that is left to try.
    if (second.refusal?.class === 'reauth') return { refusal: { ...second.refusal, class: 'retry' } }
    return second
  }

  return async (api, stream, records) => {
    try {
      return await client().use((client) => withFreshCredentials(client, api, stream, records))
    } catch (thrown) {
      // No client could be made of the settings.
      return { refusal: { class: 'park', throttled: false, error: redact(thrown, externalId) } }
    }
  }
}

async function call(
  { puts }: PooledClient,
  api: Api,
  stream: string,
  records: readonly Uint8Array[],
  requestTimeout: number,
  clock: Clock,
): Promise<RecordAnswer[]> {
  return withTimeout(clock, requestTimeout, async (abortSignal) => {
    const [record] = records
    if (api === 'PutRecord' && record !== undefined) {
      return readAnswers([await puts.putRecord(stream, record, abortSignal)], 1)
    }
    const { RequestResponses } = await puts.putRecordBatch(stream, records, abortSignal)
    return readAnswers(RequestResponses, records.length)
  })
}

/** @throws where the answer does not tell of every record: then it tells of none */
function readAnswers(
  entries: readonly PutRecordBatchResponseEntry[] | undefined,
  expected: number,
): RecordAnswer[] {
  if (!Array.isArray(entries) || entries.length !== expected) {
    throw new Error(`The answer tells of ${entries?.length ?? 'no'} records, ${expected} were sent`)
  }
  return entries.map((entry: PutRecordBatchResponseEntry | null) => {
    if (entry?.RecordId && !entry.ErrorCode) return { recordId: entry.RecordId }
    return {
      errorCode: entry?.ErrorCode ?? 'MissingRecordId',
      errorMessage: entry?.ErrorMessage ?? 'the answer has no RecordId',
    }
  })
}

/**
 * Ends the wait by itself: the SDK's abort does not reach a fetch of credentials, nor a body that stops coming.
 */
async function withTimeout<T>(
  clock: Clock,
  ms: number,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  let cancel = () => {}
  const timedOut = new Promise<never>((_resolve, reject) => {
    cancel = clock.after(ms, () => {
      const error = new Error(`No answer within ${ms} ms`)
      error.name = 'TimeoutError'
      reject(error)
      controller.abort(error)
    })
  })
  try {
    return await Promise.race([call(controller.signal), timedOut])
  } finally {
    cancel()
  }
}

/** The call that follows fails in its turn, and tells why. */
function ignore(): void {}
