import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ClientPool, ClientPoolStats } from '../plugin/aws/client-pool.js'
import type { ByteBudget } from '../plugin/delivery/byte-budget.js'
import type { StreamReport } from '../plugin/delivery/stats.js'
import type { Destination, DestinationStats } from '../plugin/destination.js'
import { guarded } from '../plugin/logger.js'
import type { OpenSpill } from '../plugin/spill/open-spill.js'
import type { SpillStats } from '../plugin/spill/spill.js'
import type { ForwarderStats } from './forward/forwarder.js'
import { isTrustedPeer } from './http/client-address.js'
import type { Exchange } from './http/exchange.js'
import { handle as handleExchange } from './http/handle.js'
import type { RequestEntry } from './http/request-entry.js'
import { requestIdOf } from './http/request-id.js'
import { type RequestCounts, Responder } from './http/responder.js'
import { UntrustedProxyNotice } from './http/untrusted-proxy-notice.js'
import { Intake, type IntakeParts } from './intake/intake.js'
import { once } from './once.js'
import { type Readiness, readinessOf } from './readiness.js'
import type { Site } from './site.js'
import type { Source } from './source.js'

/** Counts of one source since the start, and how it stands now. */
export interface SourceStats extends DestinationStats {
  /** Events that were not delivered because they had been: the same `messageId` came again. */
  readonly duplicates: number
  /** Requests handed on to Segment, where `forward` is set. */
  readonly forwarding?: ForwarderStats
}

/** Counts since the start, and how it stands now. No name and no number in it is a secret. */
export interface ProxyStats {
  /** By answer. */
  readonly requests: RequestCounts
  /** The same by status, such as `503`. */
  readonly requestsByStatus: Readonly<Record<string, number>>
  /** Events given up for good: invalid, or refused by Firehose. */
  readonly quarantined: number
  /** Bytes held now, of requests and of records. */
  readonly bufferedBytes: number
  /** The AWS clients that all sources share. */
  readonly clients: ClientPoolStats
  /** What waits on the disk, where `spill` is set. */
  readonly spill?: SpillStats
  /** By the sources' names. */
  readonly sources: Readonly<Record<string, SourceStats>>
}

/** What became of the records of each source's streams, by names. */
export type ProxyReport = Readonly<Record<string, Readonly<Record<string, StreamReport>>>>

/** A Connect-style handler of {@link Site}s. */
export interface SiteProxy {
  (req: IncomingMessage, res: ServerResponse, next?: (error?: unknown) => void): void
  /** Sends what is queued now; resolves when that is settled. */
  flush(): Promise<void>
  /**
   * Answers 503 from now on, waits for the requests under way and delivers what is queued.
   *
   * @param options.timeout - how long at most, in ms; what is left then fails. @default 10000
   */
  close(options?: { readonly timeout?: number }): Promise<ProxyReport>
  /** Counts since the start, and how it stands now. */
  stats(): ProxyStats
  /** Whether a request sent now can be expected to be delivered; for a load balancer's health check. */
  readiness(): Readiness
  /** Handles requests by this site from now on; those under way go on with theirs, and then `retired` is closed. */
  replaceSite(site: Site, retired: readonly Source[]): void
}

export interface ProxyParts extends IntakeParts {
  readonly site: Site
  readonly pool: ClientPool
  readonly budget: ByteBudget
  readonly newId: () => string
  readonly spill?: OpenSpill | undefined
  readonly onRequest?: ((entry: RequestEntry) => void) | undefined
}

const CLOSE_TIMEOUT_MS = 10_000
/** What waits for a place that is no longer forwarded to gets so long. */
const FORWARD_CLOSE_TIMEOUT_MS = 30_000

async function loadResources() {
  const { Resources } = await import('./web/resources.js')
  return new Resources()
}

/** Makes the handler of its parts. Every request gets one answer, after delivery; none is an HTML page. */
export function createProxy(parts: ProxyParts): SiteProxy {
  const { pool, budget, clock, newId, onRequest, spill } = parts
  let { site } = parts
  const logger = guarded(parts.logger)
  const intake = new Intake({ ...parts, logger })
  const context = {
    budget,
    intake,
    clock,
    newId,
    resources: once(loadResources),
    untrustedProxy: new UntrustedProxyNotice(logger),
  }
  const responder = new Responder({
    handle: (exchange) => handleExchange(exchange, context),
    onRequest,
    logger,
    clock,
  })

  const handle: (...args: Parameters<SiteProxy>) => void = (req, res, next) => {
    const endpoint = site.endpoints.at(req.url ?? '/')
    if (next !== undefined && endpoint === 'elsewhere') return next()
    const id = requestIdOf(req, { isTrusted: isTrustedPeer(req, site.trust), newId })
    const exchange: Exchange = { req, res, site, endpoint, id, seen: { source: undefined, events: 0 } }
    responder.respond(exchange)
  }

  /** Destinations of sites that were replaced, while requests that began with them are under way. */
  const retiring = new Set<Destination>()

  const flush = async () => {
    const current = site.sources.all.map(({ destination }) => destination)
    await Promise.all([...current, ...retiring].map((it) => it.flush()))
  }

  const close = async ({ timeout = CLOSE_TIMEOUT_MS } = {}): Promise<ProxyReport> => {
    responder.refuse()
    // What requests under way wait for goes out now, not when its flushInterval is over.
    void flush()
    const deadline = clock.now() + timeout
    await Promise.race([responder.settled, new Promise<void>((done) => clock.after(timeout, done))])
    const rest = Math.max(0, deadline - clock.now())
    const closing = [...retiring].map((it) => it.close({ timeout: rest }))
    const report = await closeSources(site.sources.all, rest)
    await Promise.all(closing)
    await spill?.close()
    pool.close()
    return report
  }

  const replaceSite = (next: Site, retired: readonly Source[]) => {
    site = next
    const { destinations, forwarders } = unused(retired, next.sources.all)
    const forwarding = new Set(
      next.sources.all.flatMap(({ id, forwarder }) => (forwarder === undefined ? [] : id)),
    )
    for (const { id, forwarder } of forwarders) {
      // A switch that is thrown to stop forwarding stops it at once; another way for it lets the old one end.
      if (forwarding.has(id)) void forwarder.close({ timeout: FORWARD_CLOSE_TIMEOUT_MS })
      else forwarder.discard()
    }
    for (const destination of destinations) retire(destination)
  }

  /** Ends it once nothing that began with it is under way. */
  const retire = (destination: Destination) => {
    retiring.add(destination)
    // Nobody comes any more whom what is queued could wait for.
    void destination.flush()
    const closed = responder.settled.then(() => destination.close())
    void closed.then(() => retiring.delete(destination))
  }

  return Object.assign(handle, {
    flush,
    close,
    replaceSite,
    readiness: () => readinessOf(site.sources, budget, responder.isClosing),
    stats: (): ProxyStats => ({
      requests: responder.counts,
      requestsByStatus: responder.countsByStatus,
      quarantined: intake.quarantined,
      bufferedBytes: budget.used,
      clients: pool.stats(),
      ...(spill === undefined ? {} : { spill: spill.store.stats() }),
      sources: Object.fromEntries(site.sources.all.map((source) => [source.name, statsOf(source)])),
    }),
  })
}

async function closeSources(sources: readonly Source[], timeout: number): Promise<ProxyReport> {
  const reports = sources.map(async ({ name, destination, forwarder }) => {
    const [report] = await Promise.all([destination.close({ timeout }), forwarder?.close({ timeout })])
    return [name, report] as const
  })
  return Object.fromEntries(await Promise.all(reports))
}

/** What of the retired no source of now uses. */
function unused(retired: readonly Source[], current: readonly Source[]) {
  const inUse = new Set<unknown>(current.flatMap(({ destination, forwarder }) => [destination, forwarder]))
  return {
    destinations: retired.map(({ destination }) => destination).filter((it) => !inUse.has(it)),
    forwarders: retired.flatMap(({ id, forwarder }) =>
      forwarder === undefined || inUse.has(forwarder) ? [] : [{ id, forwarder }],
    ),
  }
}

function statsOf({ destination, duplicates, forwarder }: Source): SourceStats {
  return {
    ...destination.stats(),
    duplicates: duplicates?.duplicates ?? 0,
    ...(forwarder === undefined ? {} : { forwarding: forwarder.stats() }),
  }
}
