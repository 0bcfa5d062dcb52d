import type * as z from 'zod'
import type { SegmentEvent } from '../event.js'
import { MAX_CALL_BYTES, MAX_CALL_RECORDS, requestQuota } from '../limits.js'
import type { Logger } from '../logger.js'
import { ASSUME_ROLE_NAMES } from './assume-role-settings.js'
import { contradictions, environmentProblems } from './contradictions.js'
import { type MappingRow, ROW_NAMES, readStream } from './mapped-streams.js'
import { describeIssues, settingsError, showPath, showValue } from './problems.js'
import { regionOfUrl } from './regions.js'
import { rows, SETTING_NAMES, table, type Values } from './schema.js'
import type {
  Aggregation,
  AssumeRoleSettings,
  AwsClientConfig,
  DestinationSettings,
  PutApi,
  Routing,
} from './settings.js'
import { completeSpill, type SpillConfiguration, spillNames } from './spill-settings.js'

/** A destination's settings, checked and complete: read once, then only looked up. */
export interface DestinationConfiguration {
  readonly mapping: readonly MappingRow[]
  /** ARNs of customer-managed keys, by the name of the stream that each encrypts. */
  readonly kmsKeys: Readonly<Record<string, string>> | undefined
  readonly region: string
  readonly roleAddress: string | undefined
  readonly assumeRole: AssumeRoleSettings | undefined
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
  readonly httpsProxy: string | false | undefined
  readonly spill: SpillConfiguration | undefined
  readonly logger: Logger
}

export interface SettingsContext {
  /** Where `AWS_REGION`, AWS's keys and `HTTPS_PROXY` are read. @default process.env */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** The default of `deliveryTimeout`, in ms. @default 30000 */
  readonly deliveryTimeout?: number
  /** What stands before a setting's name in messages, such as `['sources', 0, 'destination']`. */
  readonly at?: readonly PropertyKey[]
}

type AggregationEntries = readonly (readonly [string, Aggregation])[]

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
  throw settingsError(read.problems)
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
  // What is right by itself is compared with the rest even where other settings are wrong: one error names all.
  const values = parsed.data ?? shape.some.parse(wellFormed(given, issues))

  const complete = withDefaults(values, context)
  const wrong = new Set(issues.map(({ path: [name] }) => name))
  const problems = [
    ...describeWrong(issues, at),
    ...contradictions(values, complete, wrong).map(([path, text]) => `${showPath([...at, path])}: ${text}`),
    ...environmentProblems(complete, context.env ?? process.env),
  ]
  return parsed.success && problems.length === 0 ? { configuration: complete } : { problems }
}

function withDefaults(values: Values, context: SettingsContext): DestinationConfiguration {
  const env = context.env ?? process.env
  const ofEndpoint = values.endpoint === undefined ? undefined : regionOfUrl(values.endpoint)
  const region = values.region ?? ofEndpoint ?? (env['AWS_REGION'] || 'us-west-2')
  const deliveryTimeout = values.deliveryTimeout ?? context.deliveryTimeout ?? 30_000
  return Object.freeze({
    mapping: Object.freeze(
      (values.mappedStreams ?? []).map(({ event, stream }) =>
        Object.freeze({ event, stream: readStream(stream).name }),
      ),
    ),
    kmsKeys: kmsKeysOf(values.mappedStreams ?? []),
    region,
    roleAddress: values.roleAddress,
    assumeRole: values.assumeRole,
    sourceId: values.sourceId,
    externalId: values.secretId ?? values.sourceId,
    api: values.api ?? 'auto',
    routing: values.routing ?? 'all',
    aggregation: aggregationOf(values.aggregation),
    aggregateBytes: values.aggregateBytes ?? 256 * 1024,
    flushAt: values.flushAt ?? MAX_CALL_RECORDS,
    flushBytes: values.flushBytes ?? MAX_CALL_BYTES,
    flushInterval: values.flushInterval ?? 0,
    maxBufferedBytes: values.maxBufferedBytes ?? 64 * 1024 * 1024,
    deliveryTimeout,
    requestTimeout: values.requestTimeout ?? Math.min(5_000, deliveryTimeout),
    concurrency: values.concurrency,
    maxRequestsPerSecond: values.maxRequestsPerSecond ?? requestQuota(region),
    transform: values.transform,
    endpoint: values.endpoint,
    stsEndpoint: values.stsEndpoint,
    clientConfig: values.clientConfig ?? {},
    httpsProxy: values.httpsProxy,
    spill: values.spill && completeSpill(values.spill, context.env),
    logger: values.logger ?? console,
  })
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
  const lines = issues.flatMap((issue) => describeIssues([issue], namesBeside(issue), at))
  return [...new Set(lines)]
}

function namesBeside({ path: [name], input }: z.core.$ZodIssue): readonly string[] {
  if (name === 'mappedStreams') return ROW_NAMES
  if (name === 'assumeRole') return ASSUME_ROLE_NAMES
  return name === 'spill' ? spillNames(input) : SETTING_NAMES
}

/** Without a prototype: a stream may be named `constructor`. */
function aggregationOf(entries: AggregationEntries = []): Readonly<Record<string, Aggregation>> {
  const aggregation: Record<string, Aggregation> = Object.create(null)
  aggregation['*'] = 'off'
  for (const [stream, how] of entries) aggregation[stream] = how
  return Object.freeze(aggregation)
}

/** As {@link aggregationOf}; undefined where there are none. */
function kmsKeysOf(mapping: readonly MappingRow[]): Readonly<Record<string, string>> | undefined {
  const keys: Record<string, string> = Object.create(null)
  for (const { stream, kmsKey } of mapping) if (kmsKey !== undefined) keys[readStream(stream).name] = kmsKey
  return Object.keys(keys).length > 0 ? Object.freeze(keys) : undefined
}
