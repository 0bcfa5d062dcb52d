import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import { systemClock } from '../plugin/clock.js'
import type { FirehoseProxy } from './firehose-proxy.js'
import { answerJson, answerProblem } from './http/answer.js'
import { answerBrokenRequests } from './http/broken-request.js'
import { HttpProblem } from './http/http-problem.js'
import { listen } from './listening.js'
import type { ProxyReport } from './proxy.js'

/** For connections that do not end by themselves when all is answered. */
const LINGER_MS = 500

/**
 * SECURITY: whoever sends a body slowly holds memory that all share, and needs no write key for that. Senders give up
 * on a request after 10 s; Node's own limit is five minutes.
 */
const RECEIVE_LIMITS = { headersTimeout: 10_000, requestTimeout: 30_000, connectionsCheckingInterval: 1_000 }

/** Longer than load balancers keep an idle connection (60 s is common): one closed under a request is a 502. */
const KEEP_ALIVE_TIMEOUT_MS = 75_000

export interface ServeOptions {
  readonly proxy: ServedProxy
  readonly host: string
  /** 0 takes any free one. */
  readonly port: number
  /** How long a request may take to arrive, in ms; for tests. */
  readonly receiveLimits?: Partial<typeof RECEIVE_LIMITS>
  /** How Express is loaded; for tests. */
  readonly importExpress?: () => Promise<{ readonly default: () => import('express').Express }>
}

/** What of a proxy this needs. */
export type ServedProxy = Pick<FirehoseProxy, 'close' | 'readiness'> &
  ((req: IncomingMessage, res: ServerResponse, next?: (error?: unknown) => void) => void)

export interface RunningServer {
  readonly url: string
  /** Stops accepting, answers what is under way, delivers what is queued. `timeout` in ms. */
  close(options: { readonly timeout: number }): Promise<ProxyReport>
}

/**
 * Serves the proxy with an Express app of its own, and `/healthz` and `/readyz` for who watches it. Every answer but
 * those for browsers is JSON.
 *
 * @throws Error whose message is fit for the command line
 */
export async function serve({
  proxy,
  host,
  port,
  receiveLimits,
  importExpress = loadExpress,
}: ServeOptions): Promise<RunningServer> {
  const { default: express } = await importExpress().catch(expressIsMissing)
  const app = express()
  app.disable('x-powered-by')
  app.get('/healthz', (_req: IncomingMessage, res: ServerResponse) => answerHealth(res, true, {}))
  app.get('/readyz', (_req: IncomingMessage, res: ServerResponse) => {
    const { ready, ...how } = proxy.readiness()
    answerHealth(res, ready, how)
  })
  app.use((_req: IncomingMessage, res: ServerResponse) => {
    answerProblem(res, new HttpProblem(404, 'not_found', 'There is nothing at this path'))
  })
  // Express knows an error handler by its four parameters.
  app.use((_error: unknown, _req: IncomingMessage, res: ServerResponse, _next: unknown) => answerFailure(res))
  const server = createServer(
    { keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS, ...RECEIVE_LIMITS, ...receiveLimits },
    listenerOf(proxy, app as RequestListener),
  )
  answerBrokenRequests(server)
  const url = await listen(server, { host, port }, { host: '--host', port: '--port' })
  return { url, close: (options) => close(server, proxy, options.timeout) }
}

/** What the proxy takes never sees Express, which costs a small request more than all else together. */
function listenerOf(proxy: ServedProxy, rest: RequestListener): RequestListener {
  return (req, res) => {
    try {
      proxy(req, res, () => rest(req, res))
    } catch {
      answerFailure(res)
    }
  }
}

const loadExpress = () => import('express')

function expressIsMissing(error: unknown): never {
  if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
  throw new Error('Express is not installed; install it beside this package: npm install express')
}

function answerFailure(res: ServerResponse): void {
  answerProblem(res, new HttpProblem(500, 'internal_error', 'The request failed; send it again later'))
}

function answerHealth(res: ServerResponse, isWell: boolean, how: object): void {
  answerJson(
    res,
    isWell ? 200 : 503,
    { status: isWell ? 'ok' : 'unavailable', ...how },
    { 'Cache-Control': 'no-store' },
  )
}

async function close(server: Server, proxy: ServedProxy, timeout: number): Promise<ProxyReport> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  const report = await proxy.close({ timeout })
  // Those whose last answer went out after the server was closed.
  server.closeIdleConnections()
  // What is left does not read its answer: it gets no more than a moment.
  const cancel = systemClock.after(LINGER_MS, () => server.closeAllConnections())
  await closed
  cancel()
  return report
}
