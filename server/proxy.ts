import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import { Socket } from 'node:net'
import type { ClientPool } from '../plugin/aws/client-pool.js'
import type { ByteBudget } from '../plugin/delivery/byte-budget.js'
import { guarded } from '../plugin/logger.js'
import type { OpenSpill } from '../plugin/spill/open-spill.js'
import { AnswerDeadlines } from './http/answer-deadlines.js'
import { isTrustedPeer } from './http/client-address.js'
import type { EventsContext } from './http/events-request.js'
import type { Exchange } from './http/exchange.js'
import { handle as handleExchange } from './http/handle.js'
import { MemoryAdmission } from './http/memory-admission.js'
import { type Misplaced, type MisplacedParts, misplaced } from './http/misplaced.js'
import type { RequestEntry } from './http/request-entry.js'
import { requestIdOf } from './http/request-id.js'
import { Responder } from './http/responder.js'
import { UntrustedProxyNotice } from './http/untrusted-proxy-notice.js'
import { Intake, type IntakeParts } from './intake/intake.js'
import { MinuteNotices } from './minute-notices.js'
import { once } from './once.js'
import { joinedReport, type ProxyReport } from './proxy-report.js'
import { type ProxyStats, proxyStats } from './proxy-stats.js'
import { type Readiness, readinessOf } from './readiness.js'
import { Retirement } from './retirement.js'
import type { Site } from './site.js'
import type { Source } from './source.js'

/** A Connect-style handler that serves a {@link Site}, under HTTP/1 and the compatibility API of `node:http2`. */
export interface SiteProxy {
  (
    req: IncomingMessage | Http2ServerRequest,
    res: ServerResponse | Http2ServerResponse,
    next?: (error?: unknown) => void,
  ): void
  /** Sends what is queued now; resolves when that is settled. */
  flush(): Promise<void>
  /**
   * Answers 503 from now on, waits for the requests under way and delivers what is queued. Resolves to what became of
   * all records since the start, those that went through what a config before had included.
   *
   * @param options.timeout - how long delivery goes on at most, in ms; what is left then is spilled, which a slow disk
   * or queue holds up for some seconds more, or fails. @default 10000
   */
  close(options?: { readonly timeout?: number }): Promise<ProxyReport>
  /** What it has counted, and how it stands now. */
  stats(): ProxyStats
  /** Whether a request sent now can be expected to be delivered; for a load balancer's health check. */
  readiness(): Readiness
  /**
   * Handles requests by this site from now on; those under way go on with theirs, and then `retired` is closed. Does
   * nothing once the proxy closes.
   */
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

/** Makes the handler of its parts. Every request gets one answer, after delivery; none is an HTML page. */
export function createProxy(parts: ProxyParts): SiteProxy {
  const { pool, budget, clock, newId, spill } = parts
  let { site } = parts
  const logger = guarded(parts.logger)
  const intake = new Intake({ ...parts, logger })
  const memory = new MemoryAdmission(budget, clock)
  const responder = responderOf({ ...parts, logger }, { intake, memory })
  const retirement = new Retirement(() => responder.settled)
  const strays = new MinuteNotices(logger, clock)

  const handle: (...args: Parameters<SiteProxy>) => void = (anyReq, anyRes, next) => {
    // The code below uses only what the HTTP/2 classes share with these, or checks for it first.
    const [req, res] = [anyReq as IncomingMessage, anyRes as ServerResponse]
    const hasNext = next !== undefined
    let exchange: Exchange | undefined
    try {
      exchange = exchangeOf(req, res, { site, newId, handler: handle, hasNext, strays })
    } catch (error) {
      return responder.giveUp(req, res, error)
    }
    if (exchange === undefined) next?.()
    else responder.respond(exchange)
  }

  const flush = async () => {
    const current = site.sources.all.map(({ destination }) => destination)
    await Promise.all([...current, ...retirement.destinations].map((it) => it.flush()))
  }

  const close = async ({ timeout = CLOSE_TIMEOUT_MS } = {}): Promise<ProxyReport> => {
    responder.refuse()
    strays.flush()
    // What requests under way wait for goes out now, not when its flushInterval is over.
    flush().catch(() => {})
    const deadline = clock.now() + timeout
    await Promise.race([responder.settled, new Promise<void>((done) => clock.after(timeout, done))])
    const rest = Math.max(0, deadline - clock.now())
    const reports = await Promise.all([
      retirement.close({ timeout: rest }),
      closeSources(site.sources.all, rest),
    ])
    await spill?.close()
    pool.close()
    return joinedReport(reports)
  }

  const replaceSite = (next: Site, retired: readonly Source[]) => {
    // What closes ends with the site that it has, which would else be counted as retired too.
    if (responder.isClosing) return
    site = next
    retirement.retire(retired, next.sources.all)
  }

  return Object.assign(handle, {
    flush,
    close,
    replaceSite,
    readiness: () => readinessOf(site.sources, budget, responder.isClosing),
    stats: () => proxyStats({ ...parts, responder, intake, memory }, site.sources.all),
  })
}

function responderOf(
  { budget, clock, newId, onRequest, logger }: ProxyParts,
  { intake, memory }: Pick<EventsContext, 'intake' | 'memory'>,
): Responder {
  const context = {
    budget,
    memory,
    deadlines: new AnswerDeadlines(clock),
    intake,
    clock,
    newId,
    resources: once(loadResources),
    untrustedProxy: new UntrustedProxyNotice(logger),
  }
  return new Responder({
    handle: (exchange) => handleExchange(exchange, context),
    onRequest,
    logger,
    clock,
  })
}

interface EntranceParts extends Pick<ProxyParts, 'site' | 'newId'> {
  readonly handler: unknown
  readonly hasNext: boolean
  readonly strays: MinuteNotices
}

/** Returns `undefined` for a request that the next handler is to take. */
function exchangeOf(
  req: IncomingMessage,
  res: ServerResponse,
  { site, newId, handler, hasNext, strays }: EntranceParts,
): Exchange | undefined {
  const { endpoints, trust } = site
  const endpoint = endpoints.at(req.url ?? '/', { isAlone: !hasNext })
  const stray =
    endpoint === 'elsewhere' ? strayOf(req, res, { endpoints, handler, hasNext, strays }) : undefined
  if (hasNext && endpoint === 'elsewhere' && !stray?.isCertain) return undefined
  listenToErrors(req, res)
  const id = requestIdOf(req, { isTrusted: isTrustedPeer(req, trust), newId })
  const seen = { source: undefined, events: 0 }
  return { req, res, site, endpoint, hint: stray?.hint, id, headers: { 'X-Request-Id': id }, seen }
}

/** Never throws: most of these requests are for other handlers. */
function strayOf(
  req: IncomingMessage,
  res: ServerResponse,
  { strays, ...parts }: MisplacedParts & { readonly strays: MinuteNotices },
): Misplaced | undefined {
  try {
    const stray = misplaced(req, parts)
    if (stray !== undefined && !stray.isCertain) {
      // Another handler may still take the request.
      res.once('finish', () => {
        if (res.statusCode === 404) strays.note('stray', (count) => strayLine(count, stray))
      })
    }
    return stray
  } catch {
    return undefined
  }
}

function strayLine(count: number, { hint }: Misplaced): string {
  return `${count} request(s) for events found nothing at their path: ${hint}`
}

/** An `error` event without a listener ends the process, and a host app may have removed the listeners of Node.js. */
function listenToErrors(req: IncomingMessage, res: ServerResponse): void {
  if (res.listenerCount('error') === 0) res.on('error', () => {})
  const { socket, httpVersionMajor } = req
  // Under HTTP/2 many requests share the socket, and in a cloud function it is no real socket.
  if (httpVersionMajor !== 1 || !(socket instanceof Socket)) return
  if (socket.listenerCount('error') === 0) socket.on('error', () => {})
}

async function loadResources() {
  const { Resources } = await import('./web/resources.js')
  return new Resources()
}

async function closeSources(sources: readonly Source[], timeout: number): Promise<ProxyReport> {
  const reports = sources.map(async ({ name, destination, unmapped, forwarder }) => {
    const [report] = await Promise.all([destination.close({ timeout }), forwarder?.close({ timeout })])
    unmapped.flush()
    return [name, report] as const
  })
  return Object.fromEntries(await Promise.all(reports))
}
