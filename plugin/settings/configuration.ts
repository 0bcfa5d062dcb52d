import { z } from 'zod'
import { FirehoseError } from '../errors.js'
import type { SegmentEvent } from '../event.js'
import { MAX_CALL_BYTES, MAX_CALL_RECORDS, MAX_RECORD_BYTES, requestQuota } from '../limits.js'
import type { Logger } from '../logger.js'
import { entriesOf } from './entries.js'
import { type MappingRow, mappingRows, mappingTable, ROW_NAMES, readStream } from './mapped-streams.js'
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
const NAME_THE_REGION = "name the streams' AWS region, such as 'us-west-2'"

const fields = {
  region: matching(REGION, NAME_THE_REGION),
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
    entriesOf(
      z.string(),
      z.enum(['off', 'ndjson'], { error: "use 'off' or 'ndjson'" }),
      "use 'off', 'ndjson', or an object from stream name to one of them",
    ),
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
const rows = { all: withRows, some: withRows.partial() }
const table = { all: withTable, some: withTable.partial() }

type AggregationEntries = readonly (readonly [string, Aggregation])[]

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
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    const name = at.length > 0 ? showPath(at) : 'settings'
    return { problems: [`${name}: got ${showValue(given, at)}; give an object with mappedStreams`] }
  }
  const shape = Array.isArray((given as DestinationSettings).mappedStreams) ? rows : table
  const parsed = shape.all.safeParse(given, { reportInput: true })
  const issues = parsed.error?.issues ?? []
  // What is right by itself is held against the rest even where other settings are wrong: all is told at once.
  const values = parsed.data ?? shape.some.parse(wellFormed(given, issues))

  const region = values.region ?? ((context.env ?? process.env)['AWS_REGION'] || 'us-west-2')
  const deliveryTimeout = values.deliveryTimeout ?? context.deliveryTimeout ?? 30_000
  const flushInterval = values.flushInterval ?? 0

  const wrong = new Set(issues.map(({ path: [name] }) => name))
  const problems = describeWrong(issues, at)
  const tell = (name: string, problem: string) => problems.push(`${showPath([...at, name])}: ${problem}`)
  if (!wrong.has('region')) {
    if (!REGION.test(region))
      tell('region', `got ${showValue(region, [])} from AWS_REGION; ${NAME_THE_REGION}`)
    else
      for (const problem of foreignStreams(values.mappedStreams ?? [], region)) tell('mappedStreams', problem)
  }
  if (!wrong.has('mappedStreams')) {
    for (const stream of unmappedAmong(values.aggregation ?? [], values.mappedStreams ?? [])) {
      tell(
        `aggregation.${stream}`,
        'no row of mappedStreams names this stream; name one that stands there, or *',
      )
    }
  }
  if (!wrong.has('deliveryTimeout') && flushInterval >= deliveryTimeout) {
    tell('flushInterval', `got ${flushInterval}; use less than deliveryTimeout, ${deliveryTimeout} ms`)
  }
  if (!parsed.success || problems.length > 0) return { problems }

  return {
    configuration: Object.freeze({
      mapping: Object.freeze(
        (values.mappedStreams ?? []).map(({ event, stream }) =>
          Object.freeze({ event, stream: readStream(stream).name }),
        ),
      ),
      region,
      roleAddress: values.roleAddress,
      sourceId: values.sourceId,
      externalId: values.secretId ?? values.sourceId,
      api: values.api ?? 'auto',
      routing: values.routing ?? 'all',
      aggregation: aggregationOf(values.aggregation),
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
      logger: values.logger ?? console,
    }),
  }
}

/** An option given as `undefined` is an option not given. */
function withoutUndefined(settings: unknown): unknown {
  if (typeof settings !== 'object' || settings === null || Array.isArray(settings)) return settings
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
}

/** The settings that no issue is about. */
function wellFormed(settings: object, issues: readonly z.core.$ZodIssue[]): unknown {
  const wrong = new Set(issues.map(({ path: [name] }) => name))
  const isFine = (name: string) => SETTING_NAMES.includes(name) && !wrong.has(name)
  return Object.fromEntries(Object.entries(settings).filter(([name]) => isFine(name)))
}

function describeWrong(issues: readonly z.core.$ZodIssue[], at: readonly PropertyKey[]): string[] {
  const lines = issues.flatMap((issue) =>
    describeIssues([issue], issue.path[0] === 'mappedStreams' ? ROW_NAMES : SETTING_NAMES, at),
  )
  return [...new Set(lines)]
}

function foreignStreams(mapping: readonly MappingRow[], region: string): string[] {
  return mapping.flatMap(({ stream }) => {
    const foreign = readStream(stream).region
    if (foreign === undefined || foreign === region) return []
    return `got ${stream}, which lies in ${foreign}, but the destination's region is ${region}; set region to '${foreign}'`
  })
}

function unmappedAmong(aggregation: AggregationEntries, mapping: readonly MappingRow[]): string[] {
  const known = new Set(['*', ...mapping.map(({ stream }) => readStream(stream).name)])
  return aggregation.map(([stream]) => stream).filter((stream) => !known.has(stream))
}

/** Without a prototype: a stream may be named `constructor`. */
function aggregationOf(entries: AggregationEntries = []): Readonly<Record<string, Aggregation>> {
  const aggregation: Record<string, Aggregation> = Object.create(null)
  aggregation['*'] = 'off'
  for (const [stream, how] of entries) aggregation[stream] = how
  return Object.freeze(aggregation)
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
