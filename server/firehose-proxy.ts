import { randomUUID } from 'node:crypto'
import { createClientPool } from '../plugin/aws/client-pool.js'
import { systemClock } from '../plugin/clock.js'
import { ByteBudget } from '../plugin/delivery/byte-budget.js'
import { createDestination } from '../plugin/destination.js'
import { settingsError } from '../plugin/settings/problems.js'
import { type ProxyConfiguration, readProxyConfig } from './config/configuration.js'
import type { ProxyConfig } from './config/proxy-config.js'
import { DeadLetterFiles } from './dead-letter-files.js'
import { createProxy, type FirehoseProxy } from './proxy.js'
import { Sources } from './source.js'

/**
 * Makes the middleware that takes what Segment's libraries send and delivers it to Amazon Data Firehose. A request is
 * answered 200 when each of its events is durable, and 503 with `Retry-After` while one is not.
 *
 * It reads bodies itself: mount it before `express.json()`, whose limit of 100 KB is less than what SDKs send.
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
  const read = readProxyConfig(config)
  if ('configuration' in read) return proxyOf(read.configuration)
  throw settingsError(read.problems)
}

/** {@link firehoseProxy} for settings already read. */
export function proxyOf(configuration: ProxyConfiguration): FirehoseProxy {
  const { maxBufferedBytes, maxClients, deadLetters, logger } = configuration
  const clock = systemClock
  const budget = new ByteBudget(maxBufferedBytes)
  const pool = createClientPool({ max: maxClients, clock })
  const sources = configuration.sources.map(({ destination, ...source }) => ({
    ...source,
    destination: createDestination(destination, { pool, budget, clock }),
  }))
  return createProxy({
    sources: new Sources(sources),
    pool,
    budget,
    clock,
    logger,
    newId: randomUUID,
    deadLetters: deadLetters === undefined ? undefined : new DeadLetterFiles(deadLetters, clock),
  })
}
