import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import { createRequire } from 'node:module'
import { systemClock } from '../plugin/clock.js'
import type { Logger } from '../plugin/logger.js'
import type { FirehoseProxy } from './firehose-proxy.js'
import { answerInAnyCase } from './http/bare-connection.js'
import { answerBrokenRequests } from './http/broken-request.js'
import { internalError } from './http/http-problem.js'
import { type ListenAddress, listen } from './listening.js'
import { once } from './once.js'
import type { ProxyReport } from './proxy-report.js'

/** For connections that do not end by themselves when all is answered. */
const LINGER_MS = 500

/**
 * SECURITY: a sender of slow headers holds a connection. The proxy itself watches bodies, for their speed and the memory
 * that they hold, so that these get Node's five minutes: a phone on GPRS needs more than three for a batch of 500 KB.
 */
const RECEIVE_LIMITS = { headersTimeout: 10_000, requestTimeout: 300_000, connectionsCheckingInterval: 1_000 }

/** Longer than load balancers keep an idle connection (60 s is common): one closed under a request is a 502. */
const KEEP_ALIVE_TIMEOUT_MS = 75_000

/** Where to listen, and how large headers may be there. */
export interface ServeAddress extends ListenAddress {
  /** Maximum size of a request's headers and URL in bytes. @default Node's limit */
  readonly maxHeaderBytes?: number | undefined
}

export interface ServeOptions extends ServeAddress {
  readonly proxy: ServedProxy
  /** Logs connections that could not be accepted. @default console */
  readonly logger?: Logger
  /** How long a request may take to arrive, in ms; for tests. */
  readonly receiveLimits?: Partial<typeof RECEIVE_LIMITS>
  /** Loads what events need, once it listens and ahead of Express, which they do not. Must not reject. */
  readonly preload?: () => Promise<void>
  /** Throws where Express is not installed; for tests. */
  readonly findExpress?: () => unknown
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
  maxHeaderBytes,
  logger = console,
  receiveLimits,
  preload = () => Promise.resolve(),
  findExpress = resolveExpress,
}: ServeOptions): Promise<RunningServer> {
  checkExpress(findExpress)
  const loadApp = once(async () => {
    const { createServeApp } = await import('./serve-app.js')
    return createServeApp(() => proxy.readiness())
  })
  const listener = listenerOf(proxy, loadApp)
  const server = createServer(
    {
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      // Node's own answer to a request without one has no body.
      requireHostHeader: false,
      ...(maxHeaderBytes !== undefined && { maxHeaderSize: maxHeaderBytes }),
      ...RECEIVE_LIMITS,
      ...receiveLimits,
    },
    listener,
  )
  // As is its answer to an expectation that it does not know, which may be passed over.
  server.on('checkExpectation', (req, res) => server.emit('request', req, res))
  answerBrokenRequests(server)
  const settings = { host: '--host', port: '--port' }
  const url = await listen(server, { host, port }, { settings, logger })
  // Not waited for: whoever asks for what the app answers waits for it, or is told that it failed.
  preload()
    .then(loadApp)
    .catch(() => {})
  return { url, close: (options) => close(server, proxy, options.timeout) }
}

/** What the proxy takes never sees Express, which costs a small request more than all else together. */
function listenerOf(proxy: ServedProxy, loadApp: () => Promise<RequestListener>): RequestListener {
  const rest: RequestListener = (req, res) => {
    loadApp()
      .then((app) => app(req, res))
      .catch(() => answerInAnyCase(req, res, internalError()))
  }
  return (req, res) => {
    try {
      proxy(req, res, () => rest(req, res))
    } catch {
      answerInAnyCase(req, res, internalError())
    }
  }
}

const resolveExpress = () => createRequire(import.meta.url).resolve('express')

function checkExpress(findExpress: () => unknown): void {
  try {
    findExpress()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error
    throw new Error('Express is not installed; install it beside this package: npm install express')
  }
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
