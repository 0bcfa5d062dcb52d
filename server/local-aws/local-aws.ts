import { setMaxListeners } from 'node:events'
import { resolve } from 'node:path'
import * as z from 'zod'
import { Authentication } from './authentication.js'
import type { LocalAwsStats } from './call.js'
import { CallLog } from './call-log.js'
import { CredentialStore } from './credentials.js'
import { Endpoint } from './endpoint.js'
import { type Fault, faultSchema } from './fault.js'
import { Faults } from './faults.js'
import { Streams } from './firehose/streams.js'
import {
  bucketNameSchema,
  check,
  type LocalAwsConfiguration,
  type LocalAwsOptions,
  type LocalAwsStream,
  parseOptions,
  queueNameSchema,
  roleSchema,
  streamSchema,
} from './options.js'
import { Output } from './output.js'
import { seededRandom } from './random.js'
import { type LocalAwsRole, Roles } from './roles.js'
import { Buckets } from './s3/buckets.js'
import { HttpServer } from './server.js'
import { formatQueueUrl } from './sqs/queue-url.js'
import { Queues } from './sqs/queues.js'

/** Of the queues that are made here rather than by a call: the longest there is. */
const RETENTION_SECONDS = 1_209_600

/** A running STS, Firehose, SQS and S3. */
export interface LocalAws {
  /** `http://127.0.0.1:<port>`, for all services: the SDKs' `endpoint`, the AWS CLI's `--endpoint-url`. */
  readonly endpoint: string
  /** Where the streams' files are, as an absolute path. */
  readonly dir: string
  /** Calls by action and records by stream, since the start. */
  stats(): LocalAwsStats
  /** From now on this goes wrong. @returns what takes the fault away again @throws Error where it is malformed */
  addFault(fault: Fault): () => void
  /** Nothing goes wrong from now on, those given at the start included. */
  clearFaults(): void
  /** Every credential issued so far is expired from now on. */
  expireCredentials(): void
  /**
   * Replaces the roles. Credentials of a role that is no longer there are refused from then on; those of one
   * that is have its new permissions. `undefined`: any role may be assumed.
   */
  setRoles(roles: readonly LocalAwsRole[] | undefined): void
  /** Makes a stream in every region. @throws Error where there is one of that name in any */
  createStream(stream: string | LocalAwsStream): void
  /** Deletes it in every region. What it has taken is still written. @throws Error where there is none of that name */
  deleteStream(name: string): void
  /**
   * Makes a queue in every region. Messages are in memory, for up to 14 days, and gone with the process.
   *
   * @returns its URL, which is the same for all regions
   * @throws Error where there is one of that name in any
   */
  createQueue(name: string): string
  /** Deletes it in every region, with its messages. @throws Error where there is none of that name */
  deleteQueue(name: string): void
  /**
   * Makes an S3 bucket, which takes calls of any region. Of S3 there are PutObject and CreateBucket; an object is the file
   * `<dir>/@s3/<bucket>/<key>`, with what a file's name cannot hold percent-encoded.
   *
   * @throws Error where there is one of that name
   */
  createBucket(name: string): void
  /** Resolves when every record accepted so far is on disk. */
  flush(): Promise<void>
  /** Stops listening, cuts all connections, and writes what is buffered. Can be called again. */
  close(): Promise<void>
}

/**
 * Starts an STS, a Firehose, an SQS and an S3 on this machine that speak AWS's wire protocol, for a first run and for tests:
 * the AWS SDKs and the AWS CLI work against it. It writes what streams take to files, as Firehose does to S3.
 *
 * @throws Error where an option is wrong, the folder cannot be made, or the port is in use (`code` EADDRINUSE)
 * @example
 * const aws = await startLocalAws({ port: 4599, dir: './out' })
 * const firehose = new FirehoseClient({ endpoint: aws.endpoint, region: 'us-west-2', credentials })
 * await firehose.send(new PutRecordCommand({ DeliveryStreamName: 'page_views', Record: { Data: bytes } }))
 * await aws.close()
 */
export async function startLocalAws(options: LocalAwsOptions = {}): Promise<LocalAws> {
  const config = guardedHooks(parseOptions(options))
  const parts = assemble(config)
  const { output, endpoint } = parts
  await output.open()
  const server = new HttpServer((request) => endpoint.handle(request), config.onError)
  const { port } = await server.listen(config.port, config.host)
  const url = `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}`

  const stop = async () => {
    parts.closing.abort()
    await server.close()
    await output.close()
  }
  let stopped: Promise<void> | undefined
  return {
    endpoint: url,
    dir: resolve(config.dir),
    ...controlsOf(parts, config, url),
    flush: () => output.flush(),
    close() {
      stopped ??= stop()
      return stopped
    },
  }
}

type Parts = ReturnType<typeof assemble>

function assemble(config: LocalAwsConfiguration) {
  const { now, onError, credentialLifetimeMs, autoCreateStreams } = config
  const closing = new AbortController()
  setMaxListeners(0, closing.signal) // one for each call that is being delayed
  const log = new CallLog()
  const faults = new Faults(seededRandom(config.seed))
  const roles = new Roles(config.roles)
  const credentials = new CredentialStore()
  const streams = new Streams(config)
  const queues = new Queues(now, config.accountId)
  // No stream has such a name, as `@` is in none.
  const buckets = new Buckets({ dir: resolve(config.dir, '@s3'), accountId: config.accountId })
  const output = new Output({ ...config.buffering, dir: resolve(config.dir), now, onError })
  for (const fault of config.faults) faults.add(fault)
  for (const stream of config.streams) createStream(streams, stream, config)
  for (const queue of config.queues) queues.add(queue)
  for (const bucket of config.buckets) buckets.create(bucket)

  const onCall: typeof config.onCall = (call) => {
    log.call(call)
    config.onCall(call)
  }
  const onRecord: typeof config.onRecord = (record) => {
    log.record(record.stream)
    config.onRecord(record)
  }
  const endpoint = new Endpoint({
    authentication: new Authentication(config, credentials, roles),
    faults,
    firehose: { streams, output, now, autoCreateStreams, onRecord },
    s3: { buckets, autoCreateBuckets: config.roles === undefined },
    sqs: { queues, closing: closing.signal },
    sts: { roles, credentials, now, credentialLifetimeMs },
    now,
    onCall,
    onError,
    closing: closing.signal,
  })
  return { closing, log, faults, roles, credentials, streams, queues, buckets, output, endpoint }
}

function controlsOf(
  { log, faults, credentials, roles, streams, queues, buckets }: Parts,
  config: LocalAwsConfiguration,
  url: string,
): Omit<LocalAws, 'endpoint' | 'dir' | 'flush' | 'close'> {
  return {
    stats: () => log.stats(),
    addFault(fault) {
      check('the fault', faultSchema, fault)
      return faults.add(fault)
    },
    clearFaults: () => faults.clear(),
    expireCredentials: () => credentials.expireAll(config.now()),
    setRoles(next) {
      check('the roles', z.array(roleSchema).optional(), next)
      roles.set(next)
    },
    createStream(stream) {
      check('the stream', streamSchema, typeof stream === 'string' ? { name: stream } : stream)
      createStream(streams, stream, config)
    },
    deleteStream: (name) => streams.remove(name, config.accountId),
    createQueue(name) {
      check('the name of the queue', queueNameSchema, name)
      if (queues.has(name)) throw new Error(`There is a queue ${name} already`)
      queues.add(name, { MessageRetentionPeriod: RETENTION_SECONDS })
      return formatQueueUrl(url, config.accountId, name)
    },
    deleteQueue: (name) => queues.remove(name),
    createBucket(name) {
      check('the name of the bucket', bucketNameSchema, name)
      buckets.create(name)
    },
  }
}

function createStream(
  streams: Streams,
  stream: string | LocalAwsStream,
  { accountId }: LocalAwsConfiguration,
): void {
  const { tags, ...rest } = typeof stream === 'string' ? { name: stream } : { ...stream }
  streams.add({ ...rest, tags: Object.entries(tags ?? {}) }, accountId)
}

/** Wraps the user's hooks so that none of them throws or rejects: that would fail a call, or end the process. */
function guardedHooks(config: LocalAwsConfiguration): LocalAwsConfiguration {
  const guarded =
    <T>(hook: (event: T) => unknown, onFailure: (error: Error) => void) =>
    (event: T): void => {
      const fail = (error: unknown) => onFailure(error instanceof Error ? error : new Error(String(error)))
      try {
        const done = hook(event)
        if (done instanceof Promise) done.catch(fail)
      } catch (error) {
        fail(error)
      }
    }
  const onError = guarded(config.onError, () => {})
  return {
    ...config,
    onError,
    onCall: guarded(config.onCall, onError),
    onRecord: guarded(config.onRecord, onError),
  }
}
