import * as z from 'zod'
import { httpsProxy, integer } from './fields.js'
import { checkRegionOfQueue, queueUrl, regionOfQueue } from './spill-settings.js'

/** Where dead letters go: a directory, a standard SQS queue, or a bucket of S3. The last two use the ambient credentials. */
export type DeadLetterSettings =
  | {
      /** Where a file a day is kept. It is made where it is not there. */
      readonly directory: string
      /** Bytes of all files in it at most; beyond them requests with such events are answered 503. @default 1073741824 */
      readonly maxBytes?: number | undefined
    }
  | {
      /** Of a standard SQS queue that is not the spill's. */
      readonly queueUrl: string
      /** @default that of the URL, else process.env.AWS_REGION, else 'us-west-2' */
      readonly region?: string | undefined
      /** URL of a proxy for the requests to SQS, or `false` for none. @default `HTTPS_PROXY`, but for the hosts in `NO_PROXY` */
      readonly httpsProxy?: string | false | undefined
    }
  | {
      /** Name of the bucket. */
      readonly bucket: string
      /** What the keys of the objects begin with, such as `dead-letters/`. @default '' */
      readonly prefix?: string | undefined
      /** @default process.env.AWS_REGION, else 'us-west-2' */
      readonly region?: string | undefined
      /** For VPC endpoints and for what speaks S3's protocol. @default AWS's */
      readonly endpoint?: string | undefined
      /** URL of a proxy for the requests to S3, or `false` for none. @default `HTTPS_PROXY`, but for the hosts in `NO_PROXY` */
      readonly httpsProxy?: string | false | undefined
    }

/** The place of dead letters, checked and complete. */
export type DeadLetterConfiguration =
  | { readonly kind: 'directory'; readonly directory: string; readonly maxBytes: number }
  | DeadLetterQueue
  | DeadLetterBucket

/** That of an SQS queue. */
export interface DeadLetterQueue {
  readonly kind: 'queue'
  readonly queueUrl: string
  readonly region: string
  readonly httpsProxy?: string | false | undefined
}

/** That of an S3 bucket. */
export interface DeadLetterBucket {
  readonly kind: 'bucket'
  readonly bucket: string
  /** Empty, or with its slash at the end. */
  readonly prefix: string
  readonly region: string
  readonly endpoint: string | undefined
  readonly httpsProxy?: string | false | undefined
}

const PLACE =
  "give a directory, such as './dead-letters', the URL of an SQS queue, 's3://BUCKET/PREFIX', or { directory, maxBytes }, { queueUrl, region, httpsProxy } or { bucket, prefix, region, endpoint, httpsProxy }"
const DIRECTORY = 'give a directory'
const BUCKET = "give the name of an S3 bucket, or 's3://BUCKET/PREFIX'"
const PREFIX =
  'give what keys begin with, such as dead-letters/, of at most 900 bytes and without control characters'
const REGION = "name the AWS region, such as 'us-west-2'"
const ENDPOINT = 'give a URL that starts with https:// or http://'

/** Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
const BUCKET_NAME = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/
/** A key may have 1,024 bytes. */
const MAX_PREFIX_BYTES = 900
const DEFAULT_MAX_BYTES = 1024 * 1024 * 1024
const LEAST_MAX_BYTES = 16 * 1024 * 1024

const region = z
  .string({ error: REGION })
  .regex(/^[a-z0-9-]+$/, { error: REGION })
  .optional()

const directory = z.strictObject({
  directory: z.string({ error: DIRECTORY }).min(1, { error: DIRECTORY }),
  maxBytes: integer(LEAST_MAX_BYTES, Number.MAX_SAFE_INTEGER, 'bytes').optional(),
})

const queue = z
  .strictObject({ queueUrl: queueUrl(), region, httpsProxy: httpsProxy().optional() })
  .superRefine(checkRegionOfQueue)

const bucket = z.strictObject({
  bucket: z.string({ error: BUCKET }).regex(BUCKET_NAME, { error: BUCKET }),
  prefix: z.string({ error: PREFIX }).refine(isPrefix, { error: PREFIX }).optional(),
  region,
  endpoint: z.url({ protocol: /^https?$/, error: ENDPOINT }).optional(),
  httpsProxy: httpsProxy().optional(),
})

/** Checks `deadLetters`, and fills in what was left out. */
export function deadLetters() {
  return z.unknown().transform((given, context): DeadLetterSettings => {
    const whole = typeof given === 'string' ? placeNamed(given) : given
    if (typeof whole !== 'object' || whole === null || Array.isArray(whole)) {
      context.issues.push({ code: 'custom', message: PLACE, input: given })
      return z.NEVER
    }
    const parsed = schemaOf(whole).safeParse(whole, { reportInput: true })
    if (parsed.success) return parsed.data
    for (const issue of parsed.error.issues)
      context.issues.push({ ...issue } as (typeof context.issues)[number])
    return z.NEVER
  })
}

/** The names of the settings that `given` may hold, to suggest the one that was meant. */
export function deadLetterNames(given: unknown): readonly string[] {
  return Object.keys(schemaOf(Object(given)).shape)
}

export function completeDeadLetters(
  given: DeadLetterSettings,
  env: Readonly<Record<string, string | undefined>> = process.env,
): DeadLetterConfiguration {
  if ('directory' in given) {
    return { kind: 'directory', directory: given.directory, maxBytes: given.maxBytes ?? DEFAULT_MAX_BYTES }
  }
  const { httpsProxy } = given
  const proxy = httpsProxy !== undefined && { httpsProxy }
  if ('queueUrl' in given) {
    return {
      kind: 'queue',
      queueUrl: given.queueUrl,
      region: given.region ?? regionOfQueue(given.queueUrl, env),
      ...proxy,
    }
  }
  return {
    kind: 'bucket',
    bucket: given.bucket,
    prefix: given.prefix === undefined || given.prefix === '' ? '' : given.prefix.replace(/\/*$/, '/'),
    region: given.region ?? (env['AWS_REGION'] || 'us-west-2'),
    endpoint: given.endpoint,
    ...proxy,
  }
}

/** The place that a text names, as in the setting. @returns the problem where it names none */
export function readPlace(
  text: string,
  env: Readonly<Record<string, string | undefined>>,
): DeadLetterConfiguration | { readonly problem: string } {
  const parsed = deadLetters().safeParse(text, { reportInput: true })
  if (parsed.success) return completeDeadLetters(parsed.data, env)
  return { problem: parsed.error.issues[0]?.message ?? PLACE }
}

/** A directory, unless it is a URL: of a queue, or one such as `s3://bucket/prefix`. */
function placeNamed(text: string): DeadLetterSettings {
  if (/^https?:\/\//.test(text)) return { queueUrl: text }
  const [, name, prefix] = /^s3:\/\/([^/]*)(?:\/(.*))?$/s.exec(text) ?? []
  if (name === undefined) return { directory: text }
  return prefix === undefined ? { bucket: name } : { bucket: name, prefix }
}

/** By what only one of the places has, though it be misspelt. */
function schemaOf(given: object) {
  if ('directory' in given) return directory
  const names = Object.keys(given)
  if (names.some((name) => /^queue/i.test(name))) return queue
  return names.some((name) => /^(bucket|prefix|endpoint|region)/i.test(name)) ? bucket : directory
}

function isPrefix(text: string): boolean {
  return Buffer.byteLength(text) <= MAX_PREFIX_BYTES && !/^\/|\p{Cc}/u.test(text)
}
