import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { createClientPool } from '../plugin/aws/client-pool.js'
import { preloadSdk } from '../plugin/aws/sdk.js'
import { systemClock } from '../plugin/clock.js'
import { openDeadLetters } from '../plugin/dead-letters/open-dead-letters.js'
import { ByteBudget } from '../plugin/delivery/byte-budget.js'
import { guarded, type Logger } from '../plugin/logger.js'
import { settingsError } from '../plugin/settings/problems.js'
import { openSpill } from '../plugin/spill/open-spill.js'
import { type ProxyConfiguration, readProxyConfig } from './config/configuration.js'
import type { ProxyConfig } from './config/proxy-config.js'
import { createProxy, type SiteProxy } from './proxy.js'
import { SiteBuilder, type SiteBuilderOptions } from './site-builder.js'
import { watchStrandedSpill } from './stranded-spill.js'

/** A Connect-style handler that takes Segment's events, for Express, Connect, or plain `node:http` and `node:http2`. */
export interface FirehoseProxy extends Omit<SiteProxy, 'replaceSite'> {
  (...args: Parameters<SiteProxy>): void
  /**
   * Goes on with another config. Requests under way finish with what they began with; what a source has queued, and
   * the IDs it has seen, it keeps where its settings are the same. `maxBufferedBytes`, `maxClients`, `spill`,
   * `deadLetters`, `onRequest` and `logger` stay as they were at the start.
   *
   * @throws FirehoseError `ERR_SETTINGS`; then nothing changes
   *
   * @example
   * proxy.reload({ ...config, sources: [...config.sources, another] })
   */
  reload(config: ProxyConfig): void
}

/** {@link FirehoseProxy} for who reads configurations by other means. */
export interface ConfiguredProxy extends FirehoseProxy {
  /** {@link FirehoseProxy.reload} for settings already read. */
  reconfigure(configuration: ProxyConfiguration): void
}

/**
 * Makes the middleware that takes what Segment's libraries send and delivers it to Amazon Data Firehose. A request is
 * answered 200 when each of its events is durable, and 503 with `Retry-After` while one is not.
 *
 * It reads bodies itself: mount it by `app.use()`, and before `express.json()`, whose limit of 100 KB is less than what
 * SDKs send. Call `answerBrokenRequests` with the server that it runs in.
 *
 * @throws FirehoseError `ERR_SETTINGS`, naming every wrong setting, the value given and the fix
 * @see https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/
 *
 * @example
 * const proxy = firehoseProxy({
 *   sources: [
 *     {
 *       id: 'src_web',
 *       writeKey: process.env.WEB_WRITE_KEY as string,
 *       destination: {
 *         region: 'eu-west-1',
 *         roleAddress: 'arn:aws:iam::123456789012:role/segment-firehose',
 *         mappedStreams: [{ event: 'User Registered', stream: 'new_users' }],
 *       },
 *     },
 *   ],
 * })
 * app.use('/analytics', proxy) // POST /analytics/v1/batch and the other paths of Segment's API
 */
export function firehoseProxy(config: ProxyConfig): FirehoseProxy {
  const configuration = configurationOf(config)
  const proxy = proxyOf(configuration)
  // Where it cannot be loaded, the first event fails in its turn, and tells why.
  preloadFor(configuration).catch(() => {})
  return proxy
}

/** Loads ahead of the first event what it needs of the AWS SDK. @throws why it never can in this process */
export function preloadFor({ sources }: ProxyConfiguration): Promise<void> {
  const destinations = sources.flatMap((source) => source.destinations)
  return preloadSdk({ assumesRoles: destinations.some(({ roleAddress }) => roleAddress !== undefined) })
}

/** {@link firehoseProxy} for settings already read, which loads the AWS SDK for the first event. */
export function proxyOf(
  configuration: ProxyConfiguration,
  shared: Pick<SiteBuilderOptions, 'duplicateStore'> = {},
): ConfiguredProxy {
  const { maxBufferedBytes, maxClients, onRequest } = configuration
  const clock = systemClock
  const logger = guarded(configuration.logger)
  const budget = new ByteBudget(maxBufferedBytes)
  const pool = createClientPool({ max: maxClients, clock })
  const deadLetters =
    configuration.deadLetters && openDeadLetters(configuration.deadLetters, { clock, logger })
  const spill =
    configuration.spill &&
    openSpill({ configuration: configuration.spill, clock, logger, deadLetters: deadLetters?.store })
  const builder = new SiteBuilder({ pool, budget, clock, logger, spill, ...shared })
  const proxy = createProxy({
    site: builder.build(configuration).site,
    pool,
    budget,
    clock,
    logger,
    newId: randomUUID,
    onRequest,
    deadLetters: deadLetters?.store,
    spill,
  })

  let served = configuration
  const stranded =
    spill &&
    watchStrandedSpill({
      store: spill.store,
      destinations: () => served.sources.flatMap(({ destinations }) => destinations),
      clock,
      logger,
    })

  const reconfigure = (next: ProxyConfiguration) => {
    tellFixed(configuration, next, logger)
    const { site, retired } = builder.build(next)
    proxy.replaceSite(site, retired)
    served = next
  }

  const { close } = proxy
  return Object.assign(proxy, {
    close: (options?: Parameters<typeof close>[0]) => {
      stranded?.close()
      return close(options).finally(() => deadLetters?.close())
    },
    reconfigure,
    reload: (config: ProxyConfig) => reconfigure(configurationOf(config)),
  })
}

/** What is made once. */
const FIXED = ['maxBufferedBytes', 'maxClients', 'spill', 'deadLetters'] as const

/** Tells which changes a running proxy does not take up. */
export function tellFixed(served: ProxyConfiguration, next: ProxyConfiguration, logger: Logger): void {
  for (const name of FIXED) {
    if (!isDeepStrictEqual(next[name], served[name]))
      logger.warn(`${name}: has changed; that takes effect at the next start`)
  }
}

function configurationOf(config: ProxyConfig): ProxyConfiguration {
  const read = readProxyConfig(config)
  if ('configuration' in read) return read.configuration
  throw settingsError(read.problems)
}
