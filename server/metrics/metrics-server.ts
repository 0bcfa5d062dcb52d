import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Logger } from '../../plugin/logger.js'
import { type ListenAddress, listen } from '../listening.js'
import { CONTENT_TYPE } from './exposition.js'
import type { ServeMeasures } from './measures.js'
import { MetricsPage } from './metrics-page.js'

const PATH = '/metrics'

/**
 * SECURITY: whoever asks slowly, or not at all, holds files that events need. Scrapers are few, and ask again within a
 * minute or two.
 */
const LIMITS = { headersTimeout: 10_000, requestTimeout: 10_000, connectionsCheckingInterval: 1_000 }
const MAX_CONNECTIONS = 100

export interface MetricsServer {
  /** Of the page. */
  readonly url: string
  /** Shows what this tells from now on; before, the page is answered 503. */
  show(measure: () => Promise<ServeMeasures>): void
  /** Cuts connections that are kept: nobody loses more than a page. */
  close(): Promise<void>
}

/**
 * Serves the page at `/metrics` on a port of its own.
 *
 * SECURITY: not on the port that takes events, which anyone may reach: it names sources and streams.
 *
 * @throws Error whose message is fit for the command line
 */
export async function serveMetrics(address: ListenAddress, logger: Logger = console): Promise<MetricsServer> {
  let page: MetricsPage | undefined
  const server = createServer(LIMITS, (req, res) => {
    answer(req, res, page).catch(() => res.destroy())
  })
  server.maxConnections = MAX_CONNECTIONS
  const settings = { host: 'metrics.host', port: '--metrics-port' }
  const url = await listen(server, address, { settings, logger })
  return {
    url: `${url}${PATH}`,
    show(measure) {
      page = new MetricsPage(measure)
    },
    close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      return closed
    },
  }
}

async function answer(
  { method, url = '' }: IncomingMessage,
  res: ServerResponse,
  page: MetricsPage | undefined,
): Promise<void> {
  const [path] = url.split('?', 1)
  if (path !== PATH) return answerText(res, 404, `There is nothing at this path; the page is ${PATH}\n`)
  if (method !== 'GET' && method !== 'HEAD') {
    return answerText(res, 405, 'Ask for this page with GET\n', { Allow: 'GET, HEAD' })
  }
  if (page === undefined) return answerText(res, 503, 'Not serving yet; ask again later\n')
  try {
    answerText(res, 200, await page.text(), { 'Content-Type': CONTENT_TYPE })
  } catch {
    answerText(res, 500, 'The page could not be made; ask again later\n')
  }
}

function answerText(
  res: ServerResponse,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  res.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
    'X-Content-Type-Options': 'nosniff',
    'Cache-Control': 'no-store',
    ...headers,
  })
  res.end(text)
}
