import { isDeepStrictEqual } from 'node:util'
import type { ClientPool } from '../plugin/aws/client-pool.js'
import type { Clock } from '../plugin/clock.js'
import { BudgetShare } from '../plugin/delivery/budget-share.js'
import { ByteBudget } from '../plugin/delivery/byte-budget.js'
import type { SpillParts } from '../plugin/delivery/spilling.js'
import { createDestination } from '../plugin/destination.js'
import type { Logger } from '../plugin/logger.js'
import { UnmappedNotice } from '../plugin/unmapped-notice.js'
import type { ProxyConfiguration } from './config/configuration.js'
import type {
  ForwardConfiguration,
  RateLimitConfiguration,
  SourceConfiguration,
} from './config/source-configuration.js'
import { CdnMirror } from './forward/cdn-mirror.js'
import { Forwarder } from './forward/forwarder.js'
import { AllowedOrigins } from './http/allowed-origins.js'
import { trustOf } from './http/client-address.js'
import { Endpoints } from './http/endpoint.js'
import { RateLimit } from './http/rate-limit.js'
import { Deduplicator } from './intake/deduplicator.js'
import { type DuplicateStore, MemoryDuplicateStore } from './intake/duplicate-store.js'
import { joined } from './joined-destination.js'
import type { Site } from './site.js'
import type { Source } from './source.js'
import { Sources } from './sources.js'
import { parsePublicUrl } from './web/public-url.js'

export interface SiteBuilderOptions {
  readonly pool: ClientPool
  /** Of requests and records. */
  readonly budget: ByteBudget
  readonly clock: Clock
  readonly logger: Logger
  /** @default none */
  readonly spill?: SpillParts | undefined
  /** Where the IDs of a source's events are remembered, by its ID. @default the memory of this process */
  readonly duplicateStore?: ((source: string) => DuplicateStore) | undefined
}

/** A source and what it was made of. */
interface Made {
  readonly configuration: SourceConfiguration
  readonly source: Source
}

/**
 * Makes sites of configurations, one after the other. What a source keeps from one to the next, as its queues, its
 * circuits and the IDs it has seen, it keeps as long as the settings of that part are the same.
 */
export class SiteBuilder {
  readonly #options: SiteBuilderOptions
  readonly #forwardBudget: ByteBudget
  #made: ReadonlyMap<string, Made> = new Map()

  constructor(options: SiteBuilderOptions) {
    this.#options = options
    // Of its own: what waits for Segment must not take the room of what waits for Firehose.
    this.#forwardBudget = new ByteBudget(options.budget.capacity)
  }

  /** The site, and the sources of the one before that are not part of it as they were. */
  build(configuration: ProxyConfiguration): { readonly site: Site; readonly retired: readonly Source[] } {
    const before = this.#made
    const made = configuration.sources.map((source) => this.#make(source, before.get(source.id)))
    this.#made = new Map(made.map((it) => [it.configuration.id, it]))
    const sources = made.map(({ source }) => source)
    const kept = new Set(sources)
    const { trustProxy, publicUrl, customPath, unversionedPaths } = configuration
    return {
      site: {
        sources: new Sources(sources, unionOf(configuration.sources)),
        endpoints: new Endpoints(customPath, unversionedPaths),
        trust: trustOf(trustProxy),
        publicUrl: publicUrl === undefined ? undefined : parsePublicUrl(publicUrl),
        customPath,
      },
      retired: [...before.values()].map(({ source }) => source).filter((source) => !kept.has(source)),
    }
  }

  #make(configuration: SourceConfiguration, before: Made | undefined): Made {
    if (before !== undefined && isDeepStrictEqual(before.configuration, configuration)) return before
    const { id, name, writeKeys, enabled, origins, ip, timestamps, rateLimit, dedupe, browser, forward } =
      configuration
    const { clock, logger } = this.#options
    // A source that is renamed keeps what it has.
    const nameNow = () => this.#made.get(id)?.configuration.name ?? name
    const keptFor = (partOf: (whole: SourceConfiguration) => unknown) =>
      before !== undefined && isDeepStrictEqual(partOf(before.configuration), partOf(configuration))
        ? before.source
        : undefined
    const delivering = keptFor((it) => it.destinations)
    const limits = keptFor((it) => it.rateLimit) ?? rateLimitsOf(rateLimit, clock)
    const memory = delivering?.memory ?? new BudgetShare(this.#options.budget, () => this.#made.size <= 1)
    const source: Source = {
      id,
      name,
      writeKeys,
      enabled,
      destination: delivering?.destination ?? this.#destination(configuration, memory, nameNow),
      memory,
      unmapped: delivering?.unmapped ?? new UnmappedNotice({ logger, clock, owner: nameNow }),
      origins: new AllowedOrigins(origins),
      ip,
      timestamps,
      rateLimit: limits.rateLimit,
      eventRateLimit: limits.eventRateLimit,
      duplicates: keptFor((it) => it.dedupe)?.duplicates ?? this.#deduplicator(id, dedupe),
      browser,
      forwarder: keptFor(forwardingOf)?.forwarder ?? this.#forwarder(name, forward),
      cdn: keptFor(mirrorOf)?.cdn ?? this.#mirror(forward),
    }
    return { configuration, source }
  }

  #destination({ destinations }: SourceConfiguration, budget: ByteBudget, nameNow: () => string) {
    const { pool, clock, spill } = this.#options
    const parts = { pool, budget, clock, spill }
    return joined(
      destinations.map((it, i) => {
        const owner = destinations.length === 1 ? nameNow : () => `${nameNow()} (destination[${i}])`
        return createDestination(it, { ...parts, owner })
      }),
    )
  }

  #deduplicator(id: string, dedupe: SourceConfiguration['dedupe']): Deduplicator | undefined {
    if (dedupe === undefined) return undefined
    const { clock, logger, duplicateStore } = this.#options
    const store = duplicateStore?.(id) ?? new MemoryDuplicateStore({ ...dedupe, clock })
    return new Deduplicator(store, logger, clock)
  }

  #forwarder(name: string, forward: ForwardConfiguration | undefined): Forwarder | undefined {
    if (forward === undefined || !forward.enabled) return undefined
    const { clock, logger } = this.#options
    const { url, maxQueuedBytes } = forward
    return new Forwarder({ url, maxQueuedBytes, budget: this.#forwardBudget, name, clock, logger })
  }

  #mirror(forward: ForwardConfiguration | undefined): CdnMirror | undefined {
    if (forward?.cdn === undefined || !forward.enabled) return undefined
    const { clock, logger } = this.#options
    return new CdnMirror({ url: forward.cdn, clock, logger })
  }
}

function rateLimitsOf(
  { limit, maxEvents, windowMs }: Partial<RateLimitConfiguration> = {},
  clock: Clock,
): Pick<Source, 'rateLimit' | 'eventRateLimit'> {
  const allowing = (most: number | undefined, unit: 'requests' | 'events') =>
    most === undefined || windowMs === undefined
      ? undefined
      : new RateLimit({ limit: most, windowMs, unit }, clock)
  return { rateLimit: allowing(limit, 'requests'), eventRateLimit: allowing(maxEvents, 'events') }
}

/** What says how requests are handed on: another `cdn` must not empty the queue. */
function forwardingOf({ forward }: SourceConfiguration) {
  return forward && { ...forward, cdn: undefined }
}

function mirrorOf({ forward }: SourceConfiguration) {
  return forward && { cdn: forward.cdn, enabled: forward.enabled }
}

/** What any source allows. */
function unionOf(sources: readonly SourceConfiguration[]): AllowedOrigins {
  const enabled = sources.filter((source) => source.enabled)
  const isAny = enabled.some(({ origins }) => origins === '*')
  return new AllowedOrigins(isAny ? '*' : enabled.flatMap(({ origins }) => origins))
}
