import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ClientPool, ClientPoolStats } from '../plugin/aws/client-pool.js'
import type { ByteBudget } from '../plugin/delivery/byte-budget.js'
import type { StreamReport } from '../plugin/delivery/stats.js'
import type { DestinationStats } from '../plugin/destination.js'
import { guarded } from '../plugin/logger.js'
import { endpointOf } from './http/endpoint.js'
import { acceptRequest } from './http/request.js'
import { type RequestCounts, Responder } from './http/responder.js'
import { Intake, type IntakeParts } from './intake/intake.js'
import type { Sources } from './source.js'

/** Counts since the start, and how it stands now. No name and no number in it is a secret. */
export interface ProxyStats {
  /** By answer. */
  readonly requests: RequestCounts
  /** Events given up for good: invalid, or refused by Firehose. */
  readonly quarantined: number
  /** Bytes held now, of requests and of records. */
  readonly bufferedBytes: number
  /** The AWS clients that all sources share. */
  readonly clients: ClientPoolStats
  /** By the sources' names. */
  readonly sources: Readonly<Record<string, DestinationStats>>
}

/** What became of the records of each source's streams, by names. */
export type ProxyReport = Readonly<Record<string, Readonly<Record<string, StreamReport>>>>

/** A Connect-style handler that takes Segment's events, for Express, Connect or plain `node:http`. */
export interface FirehoseProxy {
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
}

export interface ProxyParts extends IntakeParts {
  readonly sources: Sources
  readonly pool: ClientPool
  readonly budget: ByteBudget
  readonly newId: () => string
}

const CLOSE_TIMEOUT_MS = 10_000

/** Makes the handler of its parts. Every request gets one answer, after delivery; none is an HTML page. */
export function createProxy(parts: ProxyParts): FirehoseProxy {
  const { sources, pool, budget } = parts
  const logger = guarded(parts.logger)
  const intake = new Intake({ ...parts, logger })
  const responder = new Responder((req) => acceptRequest(req, { ...parts, intake }), logger, parts.clock)

  const handle: (...args: Parameters<FirehoseProxy>) => void = (req, res, next) => {
    if (next !== undefined && endpointOf(req.url ?? '/') === 'elsewhere') next()
    else responder.respond(req, res)
  }

  const flush = async () => {
    await Promise.all(sources.all.map(({ destination }) => destination.flush()))
  }

  const close = ({ timeout = CLOSE_TIMEOUT_MS } = {}) => {
    responder.refuse()
    // What requests under way wait for goes out now, not when its flushInterval is over.
    void flush()
    return closeParts(parts, responder.settled, timeout)
  }

  const stats = (): ProxyStats => ({
    requests: responder.counts,
    quarantined: intake.quarantined,
    bufferedBytes: budget.used,
    clients: pool.stats(),
    sources: Object.fromEntries(sources.all.map(({ name, destination }) => [name, destination.stats()])),
  })

  return Object.assign(handle, { flush, close, stats })
}

/** Closes the destinations when the requests under way are answered, all within `timeout` ms. */
async function closeParts(
  { sources, pool, clock }: ProxyParts,
  answered: Promise<unknown>,
  timeout: number,
): Promise<ProxyReport> {
  const deadline = clock.now() + timeout
  await Promise.race([answered, new Promise<void>((done) => clock.after(timeout, done))])
  const left = Math.max(0, deadline - clock.now())
  const reports = sources.all.map(
    async ({ name, destination }) => [name, await destination.close({ timeout: left })] as const,
  )
  const report = Object.fromEntries(await Promise.all(reports))
  pool.close()
  return report
}
