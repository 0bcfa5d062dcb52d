import { randomBytes } from 'node:crypto'
import { rememberAnswers } from '../aws/answer.js'
import { boundedCall } from '../aws/bounded-call.js'
import { classify } from '../aws/error-classes.js'
import { repairsOf, serviceClient } from '../aws/service-client.js'
import { backoffMs } from '../backoff.js'
import type { Clock } from '../clock.js'
import { FirehoseError } from '../errors.js'
import type { DeadLetterBucket } from '../settings/dead-letter-settings.js'
import { errnoOf } from '../spill/disk-error.js'
import type { LetterPlace } from './remote-letters.js'

const CONTENT_TYPE = 'application/x-ndjson'
/** SDKs give up on a request to the proxy after 8 to 10 s: a call that hangs must leave time for an answer. */
const CALL_TIMEOUT_MS = 2_000
const MAX_TRIES = 3
/** S3 answers a put with headers, and a refusal with a few hundred bytes. */
const MAX_ANSWER_BYTES = 1024 * 1024

type Sdk = typeof import('@aws-sdk/client-s3')

/**
 * Loads what S3 needs, which is installed only by those who keep dead letters there.
 *
 * @throws FirehoseError `ERR_SETTINGS` where it is not installed, or cannot be loaded
 */
export async function loadS3(): Promise<Sdk> {
  try {
    return await import('@aws-sdk/client-s3')
  } catch (cause) {
    const isMissing = /MODULE_NOT_FOUND$/.test(errnoOf(cause) ?? '')
    const why = isMissing
      ? 'which is not installed beside this one; install it: npm install @aws-sdk/client-s3'
      : `which cannot be loaded: ${(cause as Error).message}`
    const problem = `deadLetters: S3 needs the package @aws-sdk/client-s3, ${why}`
    throw new FirehoseError('ERR_SETTINGS', `Wrong settings:\n  ${problem}`, { cause })
  }
}

/**
 * A bucket of S3 as a place of dead letters: an object for all that are written together, whose key begins with the time,
 * `<prefix>YYYY/MM/DD/YYYY-MM-DDTHH-mm-ss-sssZ-<id>.ndjson`.
 *
 * @throws FirehoseError `ERR_SETTINGS` where the SDK's package is not installed
 */
export async function openLetterBucket(configuration: DeadLetterBucket, clock: Clock): Promise<LetterPlace> {
  const { bucket, prefix, region, endpoint, httpsProxy } = configuration
  const { S3Client, PutObjectCommand } = await loadS3()
  const parts = serviceClient({ region, httpsProxy, clock, maxAnswerBytes: MAX_ANSWER_BYTES })
  const client = new S3Client({
    ...parts.config,
    // A host name that begins with the bucket's is AWS's own way.
    ...(endpoint !== undefined && { endpoint, forcePathStyle: true }),
  })
  rememberAnswers(client.middlewareStack)
  const call = { client: repairsOf(parts), service: 'S3', region, timeoutMs: CALL_TIMEOUT_MS, clock } as const
  const put = async (key: string, body: Uint8Array) => {
    const command = new PutObjectCommand({ Bucket: bucket, Key: key, Body: body, ContentType: CONTENT_TYPE })
    await boundedCall(call, ({ abortSignal }) => client.send(command, { abortSignal }))
  }
  return {
    // The policy allows to put objects and no more: there is no other way to find out, and the next try replaces it.
    tryOut: () => put(`${prefix}.check`, Buffer.alloc(0)),
    write: (lines) => retried(() => put(keyAt(prefix, clock.wallTime()), Buffer.concat(lines)), clock),
    close: () => parts.destroy(client),
  }
}

/** Keys sort by time. SECURITY: nothing of a letter is in them. */
function keyAt(prefix: string, time: number): string {
  const at = new Date(time).toISOString()
  const day = at.slice(0, 10).replaceAll('-', '/')
  return `${prefix}${day}/${at.replace(/[:.]/g, '-')}-${randomBytes(8).toString('hex')}.ndjson`
}

/** A put that timed out may have succeeded: then the letters are there twice. */
async function retried(put: () => Promise<void>, clock: Clock): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await put()
    } catch (error) {
      const { class: kind } = classify(error)
      const mayPass = kind === 'reauth' || (kind === 'retry' && (error as Error).name !== 'TimeoutError')
      if (tries === MAX_TRIES || !mayPass) throw error
      await new Promise<void>((resolve) => clock.after(backoffMs(tries - 1, clock), resolve))
    }
  }
}
