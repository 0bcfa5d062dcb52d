import * as z from 'zod'
import type { LocalAwsAccessKey } from './access-keys.js'
import type { LocalAwsCall } from './call.js'
import { type Fault, faultSchema } from './fault.js'
import type { AcceptedRecord } from './firehose/operation.js'
import type { Compression } from './output-file.js'
import { policyDocumentSchema } from './policy-document.js'
import type { LocalAwsQuotas } from './quotas.js'
import type { LocalAwsRole } from './roles.js'
import { isBucketName } from './s3/buckets.js'

/** A delivery stream that is there from the start, in every region. */
export interface LocalAwsStream {
  /** 1 to 64 of `[a-zA-Z0-9_.-]` */
  readonly name: string
  /** @default that of the options */
  readonly compression?: Compression
  /** As ListTagsForDeliveryStream tells them. @default none */
  readonly tags?: Readonly<Record<string, string>>
}

/** When a stream's file is written: at whichever comes first. */
export interface LocalAwsBuffering {
  /** Bytes. @default 5 MiB */
  readonly sizeBytes?: number
  /** Milliseconds after the file's first record. @default 1000 */
  readonly intervalMs?: number
}

/** Options of {@link startLocalAws}. */
export interface LocalAwsOptions {
  /** 0 takes any free one. @default 0 */
  readonly port?: number
  /** Address to listen on. @default 127.0.0.1 */
  readonly host?: string
  /** Where the streams' files and the buckets' objects go. @default ./local-aws-data */
  readonly dir?: string
  /** The account that streams, queues and users are in. @default 123456789012 */
  readonly accountId?: string
  /**
   * The roles there are; their trust and permissions are then enforced.
   * @default any role may be assumed, with any external ID, and may do everything
   */
  readonly roles?: readonly LocalAwsRole[]
  /**
   * The long-lived access keys there are; their signatures are then verified.
   * @default any is accepted, without looking at its signature: its secret cannot be known
   */
  readonly accessKeys?: readonly LocalAwsAccessKey[]
  /** Makes a stream, in the region of the call, when something is first put to it. @default true unless `roles` are given */
  readonly autoCreateStreams?: boolean
  /** Streams to have from the start, in every region. @default none */
  readonly streams?: readonly (string | LocalAwsStream)[]
  /** SQS queues to have from the start, in every region. @default none */
  readonly queues?: readonly string[]
  /**
   * S3 buckets to have from the start, for calls of any region. Their objects are files, `<dir>/@s3/<bucket>/<key>`.
   * @default none, and any is made when something is first put to it unless `roles` are given
   */
  readonly buckets?: readonly string[]
  /** When files are written. @default 5 MiB or a second, whichever comes first */
  readonly buffering?: LocalAwsBuffering
  /** Of the files. @default none */
  readonly compression?: Compression
  /** What goes wrong from the start; see `addFault` for later. @default nothing */
  readonly faults?: readonly Fault[]
  /** Of the random choices that faults make. @default 1 */
  readonly seed?: number
  /** What each stream may take a second. @default no limit */
  readonly quotas?: LocalAwsQuotas
  /** How long assumed credentials live, in ms. @default the DurationSeconds of the request */
  readonly credentialLifetimeMs?: number
  /** How far a signature's date may be off, in ms; Infinity for a `now` of your own. @default 900000, AWS's */
  readonly maxClockSkewMs?: number
  /** The clock, in epoch ms. @default Date.now */
  readonly now?: () => number
  /** Each call, when it has been decided. */
  readonly onCall?: (call: LocalAwsCall) => void
  /** Each record that is accepted. */
  readonly onRecord?: (record: AcceptedRecord) => void
  /** What goes wrong in the background, as a full disk. @default a process warning */
  readonly onError?: (error: Error) => void
}

/** The options, complete and checked. */
export interface LocalAwsConfiguration
  extends Required<Omit<LocalAwsOptions, 'roles' | 'accessKeys' | 'credentialLifetimeMs' | 'buffering'>> {
  readonly roles: readonly LocalAwsRole[] | undefined
  readonly accessKeys: readonly LocalAwsAccessKey[] | undefined
  readonly credentialLifetimeMs: number | undefined
  readonly buffering: Required<LocalAwsBuffering>
}

const callback = z.custom<(...args: never) => unknown>((value) => typeof value === 'function', 'a function')
const positive = z.number().positive()
const compression = z.enum(['none', 'gzip'])
const streamName = z.string().regex(/^[a-zA-Z0-9_.-]{1,64}$/)
export const queueNameSchema = z.string().regex(/^[\w-]{1,80}$/)
export const bucketNameSchema = z.string().refine(isBucketName, 'the name of a bucket')
const userArn = z.string().regex(/^arn:aws[a-z-]*:iam::\d{12}:user\/.+$/)

export const roleSchema = z.strictObject({
  arn: z.string().regex(/^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/),
  trustPolicy: policyDocumentSchema,
  permissionPolicy: policyDocumentSchema.optional(),
})

export const streamSchema = z.strictObject({
  name: streamName,
  compression: compression.optional(),
  tags: z.record(z.string(), z.string()).optional(),
})

const accessKeySchema = z.strictObject({
  accessKeyId: z.string().regex(/^(?!ASIA)\w{16,128}$/, 'a long-lived access key id, such as AKIA…'),
  secretAccessKey: z.string().min(1),
  userArn: userArn.optional(),
  policy: policyDocumentSchema.optional(),
  // The SDK marks the credentials it is given, which may be this same object.
  $source: z.unknown().optional(),
})

const optionsSchema = z.strictObject({
  port: z.int().min(0).max(65_535).optional(),
  host: z.string().min(1).optional(),
  dir: z.string().min(1).optional(),
  accountId: z
    .string()
    .regex(/^\d{12}$/)
    .optional(),
  roles: z.array(roleSchema).optional(),
  accessKeys: z.array(accessKeySchema).optional(),
  autoCreateStreams: z.boolean().optional(),
  streams: z.array(z.union([streamName, streamSchema])).optional(),
  queues: z.array(queueNameSchema).optional(),
  buckets: z.array(bucketNameSchema).optional(),
  buffering: z.strictObject({ sizeBytes: positive.optional(), intervalMs: positive.optional() }).optional(),
  compression: compression.optional(),
  faults: z.array(faultSchema).optional(),
  seed: z.number().optional(),
  quotas: z
    .strictObject({
      recordsPerSecond: positive.optional(),
      requestsPerSecond: positive.optional(),
      bytesPerSecond: positive.optional(),
    })
    .optional(),
  credentialLifetimeMs: positive.optional(),
  maxClockSkewMs: z.union([z.number().min(0), z.literal(Number.POSITIVE_INFINITY)]).optional(),
  now: callback.optional(),
  onCall: callback.optional(),
  onRecord: callback.optional(),
  onError: callback.optional(),
})

/** @throws Error that lists every option that is wrong */
export function parseOptions(options: LocalAwsOptions): LocalAwsConfiguration {
  check('the options of startLocalAws', optionsSchema, options)
  return {
    port: 0,
    host: '127.0.0.1',
    dir: './local-aws-data',
    accountId: '123456789012',
    autoCreateStreams: options.roles === undefined,
    streams: [],
    queues: [],
    buckets: [],
    compression: 'none',
    faults: [],
    seed: 1,
    quotas: {},
    maxClockSkewMs: 15 * 60_000,
    now: Date.now,
    onCall: () => {},
    onRecord: () => {},
    onError: (error) => process.emitWarning(error),
    ...options,
    roles: options.roles,
    accessKeys: options.accessKeys,
    credentialLifetimeMs: options.credentialLifetimeMs,
    buffering: { sizeBytes: 5 * 1024 * 1024, intervalMs: 1_000, ...options.buffering },
  }
}

/** @throws Error that says what is wrong with `what`, and where */
export function check(what: string, schema: z.ZodType, value: unknown): void {
  const result = schema.safeParse(value)
  if (!result.success) throw new Error(`Wrong value in ${what}:\n${z.prettifyError(result.error)}`)
}
