import type { Logger } from '../plugin/logger.js'
import type { ProxyConfiguration } from './config/configuration.js'
import type { RateLimitConfiguration } from './config/source-configuration.js'
import { MAX_BODY_BYTES } from './http/limits.js'

/** What one request may hold: a compressed body and what it holds are counted together. */
const LEAST_BUFFERED_BYTES = 2 * MAX_BODY_BYTES

/** What one of several processes may hold in memory, of what all may. */
function shareOfBuffer(maxBufferedBytes: number, workers: number): number {
  const least = Math.min(maxBufferedBytes, LEAST_BUFFERED_BYTES)
  return Math.max(Math.floor(maxBufferedBytes / workers), least)
}

/** Says where the processes may hold more together than was set, for each to take a request of the size that is allowed. */
export function tellShare(maxBufferedBytes: number, workers: number, logger: Logger): void {
  const share = shareOfBuffer(maxBufferedBytes, workers)
  if (share * workers <= maxBufferedBytes) return
  logger.warn(
    `maxBufferedBytes: ${maxBufferedBytes} is too little for ${workers} workers: each may hold ${share}, which a request can need, so that all may hold ${share * workers}; raise it, or start fewer workers`,
  )
}

/**
 * The configuration of one of several processes, so that together they keep to what was set for the whole: bytes in
 * memory, requests and events of each source, calls for each stream. What is counted rounds up: a limit of 1 leaves one
 * to each.
 */
export function workerShare<T extends ProxyConfiguration>(configuration: T, workers: number): T {
  if (workers === 1) return configuration
  const sources = configuration.sources.map((source) => ({
    ...source,
    rateLimit: source.rateLimit && shareOfRate(source.rateLimit, workers),
    destinations: source.destinations.map((destination) => ({
      ...destination,
      maxRequestsPerSecond: Math.ceil(destination.maxRequestsPerSecond / workers),
    })),
  }))
  return {
    ...configuration,
    sources,
    maxBufferedBytes: shareOfBuffer(configuration.maxBufferedBytes, workers),
  }
}

function shareOfRate(
  { limit, maxEvents, windowMs }: RateLimitConfiguration,
  workers: number,
): RateLimitConfiguration {
  const shareOf = (most: number | undefined) => most && Math.ceil(most / workers)
  return { limit: shareOf(limit), maxEvents: shareOf(maxEvents), windowMs }
}
