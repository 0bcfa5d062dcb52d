import { z } from 'zod'
import { FirehoseError } from '../errors.js'
import type { SegmentEvent } from '../event.js'
import { MAX_CALL_BYTES, MAX_CALL_RECORDS, MAX_RECORD_BYTES, requestQuota } from '../limits.js'
import { guarded, type Logger } from '../logger.js'
import { type MappingRow, mappingRows, mappingTable, streamName } from './mapped-streams.js'
import { describeIssues, showPath, showValue } from './problems.js'
import type { Aggregation, AwsClientConfig, DestinationSettings, PutApi, Routing } from './settings.js'

/** A destination's settings, checked and complete: read once, then only looked up. */
export interface DestinationConfiguration {
  readonly mapping: readonly MappingRow[]
  readonly region: string
  readonly roleAddress: string | undefined
  readonly sourceId: string | undefined
  /** SECURITY: comes from the configuration alone, never from a request. */
  readonly externalId: string | undefined
  readonly api: PutApi
  readonly routing: Routing
  readonly aggregation: Readonly<Record<string, Aggregation>>
  readonly aggregateBytes: number
  readonly flushAt: number
  readonly flushBytes: number
  readonly flushInterval: number
  readonly maxBufferedBytes: number
  readonly deliveryTimeout: number
  readonly requestTimeout: number
  readonly concurrency: number | undefined
  readonly maxRequestsPerSecond: number
  readonly transform: ((event: SegmentEvent) => SegmentEvent | null) | undefined
  readonly endpoint: string | undefined
  readonly stsEndpoint: string | undefined
  readonly clientConfig: AwsClientConfig
  readonly logger: Logger
}

export interface SettingsContext {
  /** Where `AWS_REGION` is read. @default process.env */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** The default of `deliveryTimeout`, in ms. @default 30000 */
  readonly deliveryTimeout?: number
  /** What stands before a setting's name in messages, such as `['sources', 0, 'destination']`. */
  readonly at?: readonly PropertyKey[]
}

// Source of the pattern: the RoleARN of https://docs.aws.amazon.com/firehose/latest/APIReference/API_S3DestinationConfiguration.html
const ROLE_ARN = /^arn:aws[a-z0-9-]*:iam::\d{12}:role\/[a-zA-Z_0-9+=,.@\-_/]+$/
// Source: ExternalId of https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
const EXTERNAL_ID = /^[\w+=,.@:/-]{2,1224}$/
const REGION = /^[a-z]{2,}(-[a-z0-9]+)+-\d+$/

const fields = {
  region: matching(REGION, "name the streams' AWS region, such as 'us-west-2'"),
  roleAddress: matching(
    ROLE_ARN,
    "give the role's ARN, such as arn:aws:iam::123456789012:role/segment-firehose",
  ),
  sourceId: matching(EXTERNAL_ID, 'an external ID has 2 to 1224 of a-z A-Z 0-9 _ + = , . @ : / -'),
  secretId: matching(EXTERNAL_ID, 'an external ID has 2 to 1224 of a-z A-Z 0-9 _ + = , . @ : / -'),
  api: oneOf(['auto', 'PutRecord', 'PutRecordBatch']),
  routing: oneOf(['all', 'most-specific']),
  aggregation: z.preprocess(
    (given) => (typeof given === 'string' ? { '*': given } : given),
    z.record(z.string(), z.enum(['off', 'ndjson'], { error: "use 'off' or 'ndjson'" }), {
      error: "use 'off', 'ndjson', or an object from stream name to one of them",
    }),
  ),
  aggregateBytes: integer(1, MAX_RECORD_BYTES, 'bytes'),
  flushAt: integer(1, MAX_CALL_RECORDS, 'records'),
  flushBytes: integer(1, MAX_CALL_BYTES, 'bytes'),
  flushInterval: integer(0, 900_000, 'ms'),
  maxBufferedBytes: integer(MAX_RECORD_BYTES, Number.MAX_SAFE_INTEGER, 'bytes'),
  deliveryTimeout: integer(1, 86_400_000, 'ms'),
  requestTimeout: integer(1, 300_000, 'ms'),
  concurrency: integer(1, 1_000, 'calls'),
  maxRequestsPerSecond: integer(1, 1_000_000, 'calls a second'),
  transform: z.custom<(event: SegmentEvent) => SegmentEvent | null>((given) => typeof given === 'function', {
    error: 'give a function from an event to an event or null',
  }),
  endpoint: httpUrl(),
  stsEndpoint: httpUrl(),
  clientConfig: z.custom<AwsClientConfig>((given) => typeof given === 'object' && given !== null, {
    error: "give an object of the AWS SDK's client options",
  }),
  logger: z.custom<Logger>(isLogger, { error: 'give an object with info, warn and error, such as console' }),
}

const optional = z.strictObject(fields).partial()
const withRows = optional.extend({ mappedStreams: mappingRows })
const withTable = optional.extend({ mappedStreams: mappingTable })

/** The names of all settings of a destination. */
export const SETTING_NAMES: readonly string[] = ['mappedStreams', ...Object.keys(fields)]

/**
 * Checks settings and fills in defaults.
 *
 * @throws FirehoseError `ERR_SETTINGS`, naming every wrong setting, the value given and the fix
 */
export function parseSettings(
  settings: DestinationSettings,
  context: SettingsContext = {},
): DestinationConfiguration {
  const read = readSettings(settings, context)
  if ('configuration' in read) return read.configuration
  throw new FirehoseError('ERR_SETTINGS', `Wrong settings:\n${read.problems.map((p) => `  ${p}`).join('\n')}`)
}

/** As {@link parseSettings}, for settings that are part of something larger: problems are returned, a line each. */
export function readSettings(
  settings: unknown,
  context: SettingsContext = {},
): { configuration: DestinationConfiguration } | { problems: string[] } {
  const at = context.at ?? []
  const given = withoutUndefined(settings)
  const schema = Array.isArray((given as DestinationSettings | undefined)?.mappedStreams)
    ? withRows
    : withTable
  const parsed = schema.safeParse(given, { reportInput: true })
  if (!parsed.success) return { problems: describeIssues(parsed.error.issues, SETTING_NAMES, at) }

  const values = parsed.data
  const env = context.env ?? process.env
  const region = values.region ?? (env['AWS_REGION'] || 'us-west-2')
  const problems: string[] = []
  const mapping = values.mappedStreams.flatMap((row): MappingRow[] => {
    const named = streamName(row.stream, region)
    if ('name' in named) return [{ event: row.event, stream: named.name }]
    problems.push(
      `${showPath([...at, 'mappedStreams'])}: got ${showValue(row.stream, [])}; it ${named.problem}`,
    )
    return []
  })
  const streams = new Set(mapping.map((row) => row.stream))
  for (const stream of Object.keys(values.aggregation ?? {})) {
    if (stream === '*' || streams.has(stream)) continue
    problems.push(`${showPath([...at, 'aggregation', stream])}: no row of mappedStreams names this stream`)
  }
  if (problems.length > 0) return { problems }

  const deliveryTimeout = values.deliveryTimeout ?? context.deliveryTimeout ?? 30_000
  const flushInterval = values.flushInterval ?? 0
  if (flushInterval >= deliveryTimeout) {
    const path = showPath([...at, 'flushInterval'])
    return {
      problems: [`${path}: got ${flushInterval}; use less than deliveryTimeout, ${deliveryTimeout} ms`],
    }
  }
  return {
    configuration: Object.freeze({
      mapping: Object.freeze(mapping.map((row) => Object.freeze(row))),
      region,
      roleAddress: values.roleAddress,
      sourceId: values.sourceId,
      externalId: values.secretId ?? values.sourceId,
      api: values.api ?? 'auto',
      routing: values.routing ?? 'all',
      aggregation: Object.freeze({ '*': 'off' as const, ...values.aggregation }),
      aggregateBytes: values.aggregateBytes ?? 256 * 1024,
      flushAt: values.flushAt ?? MAX_CALL_RECORDS,
      flushBytes: values.flushBytes ?? MAX_CALL_BYTES,
      flushInterval,
      maxBufferedBytes: values.maxBufferedBytes ?? 64 * 1024 * 1024,
      deliveryTimeout,
      requestTimeout: values.requestTimeout ?? Math.ceil(Math.min(5_000, deliveryTimeout / 2)),
      concurrency: values.concurrency,
      maxRequestsPerSecond: values.maxRequestsPerSecond ?? requestQuota(region),
      transform: values.transform,
      endpoint: values.endpoint,
      stsEndpoint: values.stsEndpoint,
      clientConfig: values.clientConfig ?? {},
      logger: guarded(values.logger ?? console),
    }),
  }
}

/** An option given as `undefined` is an option not given. */
function withoutUndefined(settings: unknown): unknown {
  if (typeof settings !== 'object' || settings === null || Array.isArray(settings)) return settings
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
}

function matching(pattern: RegExp, error: string) {
  return z.string({ error }).regex(pattern, { error })
}

function oneOf<const T extends readonly [string, ...string[]]>(values: T) {
  return z.enum(values, { error: `use one of ${values.map((value) => `'${value}'`).join(', ')}` })
}

/** Digits in a string count as a number: values that come from the environment are strings. */
function integer(min: number, max: number, unit: string) {
  const error = `use a whole number of ${unit} from ${min} to ${max}`
  return z.preprocess(
    (given) => (typeof given === 'string' && /^\d{1,15}$/.test(given) ? Number(given) : given),
    z.int({ error }).min(min, { error }).max(max, { error }),
  )
}

function httpUrl() {
  return z.url({ protocol: /^https?$/, error: 'give a URL that starts with https:// or http://' })
}

function isLogger(given: unknown): boolean {
  return (['info', 'warn', 'error'] as const).every(
    (level) => typeof (given as Partial<Logger> | null)?.[level] === 'function',
  )
}
