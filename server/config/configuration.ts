import type { Logger } from '../../plugin/logger.js'
import { type DestinationConfiguration, readSettings } from '../../plugin/settings/configuration.js'
import {
  completeDeadLetters,
  type DeadLetterConfiguration,
  deadLetterNames,
} from '../../plugin/settings/dead-letter-settings.js'
import { EXTERNAL_ID, EXTERNAL_ID_RULE } from '../../plugin/settings/fields.js'
import { describeIssues, showPath, showValue } from '../../plugin/settings/problems.js'
import { completeSpill, type SpillConfiguration, spillNames } from '../../plugin/settings/spill-settings.js'
import type { TrustSetting } from '../http/client-address.js'
import type { RequestEntry } from '../http/request-entry.js'
import { isJsonObject } from '../json-object.js'
import type { ProxyConfig } from './proxy-config.js'
import { proxySchema, serveSchema } from './schema.js'
import { settingNames } from './setting-names.js'
import { type SourceConfiguration, sourceConfigurationOf } from './source-configuration.js'

/** The proxy's settings, checked and complete. */
export interface ProxyConfiguration {
  readonly sources: readonly SourceConfiguration[]
  readonly maxBufferedBytes: number
  readonly maxClients: number
  readonly spill: SpillConfiguration | undefined
  readonly deadLetters: DeadLetterConfiguration | undefined
  readonly trustProxy: TrustSetting
  readonly publicUrl: string | undefined
  readonly customPath: string | undefined
  readonly unversionedPaths: boolean | undefined
  readonly onRequest: ((entry: RequestEntry) => void) | undefined
  readonly logger: Logger
}

export interface ServeConfiguration extends ProxyConfiguration {
  readonly listen: ServerConfiguration
  /** Where the metrics page is; nowhere without a port. */
  readonly metrics: ListenConfiguration
}

export interface ListenConfiguration {
  readonly host: string | undefined
  readonly port: number | undefined
}

export interface ServerConfiguration extends ListenConfiguration {
  /** Maximum size of a request's headers and URL in bytes; `undefined` means Node's own limit. */
  readonly maxHeaderBytes: number | undefined
}

export interface ConfigContext {
  /** Where `AWS_REGION` is read. @default process.env */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Where notices go unless the config says. @default console */
  readonly logger?: Logger
}

export type ConfigResult<T> = { configuration: T } | { problems: string[] }

/** SDKs give up on a request after 10 s and send it again: by then it must have been answered. */
const DELIVERY_TIMEOUT_MS = 5_000

/** Checks what `firehoseProxy` was given. All problems of it are told at once, a line each. */
export function readProxyConfig(
  given: unknown,
  context: ConfigContext = {},
): ConfigResult<ProxyConfiguration> {
  return read(given, false, context)
}

/** As {@link readProxyConfig}, for the content of a config file. */
export function readServeConfig(
  given: unknown,
  context: ConfigContext = {},
): ConfigResult<ServeConfiguration> {
  return read(given, true, context)
}

function read(
  given: unknown,
  takesListen: boolean,
  context: ConfigContext,
): ConfigResult<ServeConfiguration> {
  if (!isJsonObject(given)) {
    return { problems: [`got ${showValue(given, [])}; give an object with sources`] }
  }
  const schema = takesListen ? serveSchema : proxySchema
  const parsed = schema.safeParse(given, { reportInput: true })
  const namesAt = ({ path, input }: { readonly path: readonly PropertyKey[]; readonly input?: unknown }) => {
    if (path[0] === 'spill') return spillNames(input)
    return path[0] === 'deadLetters' ? deadLetterNames(input) : settingNames(schema, path)
  }
  const problems = (parsed.error?.issues ?? []).flatMap((issue) => describeIssues([issue], namesAt(issue)))
  problems.push(...sharedQueue(parsed.data))
  const logger = parsed.data?.logger ?? context.logger ?? console
  const listed = (given as { sources?: unknown }).sources
  const sources: readonly unknown[] = Array.isArray(listed) ? listed : []
  const destinations = sources.map((source, i) => readDestinations(source, i, logger, context))
  problems.push(
    ...sources.flatMap(wrongId),
    ...repeated(sources),
    ...destinations.flatMap((it) => it.problems),
  )
  // What is wrong in the environment every source has in common.
  if (parsed.data === undefined || problems.length > 0) return { problems: [...new Set(problems)] }

  const values = parsed.data
  return {
    configuration: {
      sources: values.sources.map((source, i) =>
        sourceConfigurationOf(source, i, destinations[i]?.configurations ?? []),
      ),
      maxBufferedBytes: values.maxBufferedBytes ?? 64 * 1024 * 1024,
      maxClients: values.maxClients ?? 100,
      spill: values.spill && completeSpill(values.spill, context.env),
      deadLetters: values.deadLetters && completeDeadLetters(values.deadLetters, context.env),
      trustProxy: values.trustProxy ?? false,
      publicUrl: values.publicUrl?.replace(/\/+$/, ''),
      customPath: values.customPath,
      unversionedPaths: values.unversionedPaths,
      onRequest: values.onRequest as ProxyConfig['onRequest'],
      logger,
      listen: listenOf(values, 'listen'),
      metrics: listenOf(values, 'metrics'),
    },
  }
}

/** Messages of the one are foreign to who drains the other. */
function sharedQueue(
  values: { spill?: object | undefined; deadLetters?: object | undefined } = {},
): string[] {
  const [spill, letters] = [values.spill, values.deadLetters].map((it) => Object(it).queueUrl as unknown)
  if (spill === undefined || spill !== letters) return []
  return [`deadLetters: is the queue of the spill, ${showValue(letters, [])}; give it a queue of its own`]
}

function listenOf(values: object, name: 'listen' | 'metrics'): ServerConfiguration {
  const given = (values as { [_ in typeof name]?: Partial<ServerConfiguration> })[name]
  return { host: given?.host, port: given?.port, maxHeaderBytes: given?.maxHeaderBytes }
}

interface ReadDestinations {
  readonly problems: readonly string[]
  /** Fewer than were given where there are problems. */
  readonly configurations: readonly DestinationConfiguration[]
}

function readDestinations(
  source: unknown,
  index: number,
  logger: Logger,
  context: ConfigContext,
): ReadDestinations {
  const { destination } = Object(source) as { destination?: unknown }
  const at = ['sources', index, 'destination']
  const read = Array.isArray(destination)
    ? destination.map((it, i) => readDestination(source, it, [...at, i], logger, context))
    : [readDestination(source, destination, at, logger, context)]
  return {
    problems: read.flatMap((it) => it.problems),
    configurations: read.flatMap((it) => it.configuration ?? []),
  }
}

const OF_THE_WHOLE = [
  ['maxBufferedBytes', 'memory is capped for all sources together'],
  ['spill', 'all sources share one'],
] as const

function readDestination(
  source: unknown,
  destination: unknown,
  at: readonly PropertyKey[],
  logger: Logger,
  { env }: ConfigContext,
): { problems: string[]; configuration?: DestinationConfiguration } {
  const { id } = Object(source) as { id?: unknown }
  // What is not an object the proxy's own schema has told.
  if (!isJsonObject(destination)) return { problems: [] }
  for (const [name, why] of OF_THE_WHOLE) {
    if (name in destination)
      return { problems: [`${showPath([...at, name])}: ${why}; set it beside sources`] }
  }
  const sourceId = isSourceId(id) ? { sourceId: id } : {}
  const settings = { logger, ...sourceId, ...destination }
  const read = readSettings(settings, { at, deliveryTimeout: DELIVERY_TIMEOUT_MS, ...(env && { env }) })
  return 'problems' in read ? read : { problems: [], configuration: read.configuration }
}

function wrongId(source: unknown, index: number): string[] {
  const id: unknown = Object(source).id
  if (typeof id !== 'string' || isSourceId(id)) return []
  const path = showPath(['sources', index, 'id'])
  const got = showValue(id, ['sourceId'])
  return [`${path}: got ${got}; a source ID ${EXTERNAL_ID_RULE}`]
}

function isSourceId(id: unknown): id is string {
  return typeof id === 'string' && EXTERNAL_ID.test(id)
}

/** An event must not be able to go to one of two sources. SECURITY: the messages name places, not values. */
function repeated(sources: readonly unknown[]): string[] {
  const seen = {
    id: new Map<unknown, string>(),
    name: new Map<unknown, string>(),
    writeKey: new Map<unknown, string>(),
  }
  const problems: string[] = []
  sources.forEach((source, i) => {
    for (const setting of ['id', 'name', 'writeKey'] as const) {
      for (const value of [Object(source)[setting]].flat()) {
        if (typeof value !== 'string') continue
        const path = showPath(['sources', i, setting])
        const first = seen[setting].get(value)
        if (first === undefined) seen[setting].set(value, path)
        else problems.push(`${path}: is the same as ${first}; give each source its own`)
      }
    }
  })
  return problems
}
