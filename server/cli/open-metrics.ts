import type { Logger } from '../../plugin/logger.js'
import type { ServeConfiguration } from '../config/configuration.js'
import type { MetricsServer } from '../metrics/metrics-server.js'

/** SECURITY: not the host of the proxy, which may be all. */
const DEFAULT_HOST = '127.0.0.1'

/** Opens the port of the metrics page, if one is set. @throws Error whose message is fit for the command line */
export async function openMetrics(
  { host = DEFAULT_HOST, port }: ServeConfiguration['metrics'],
  logger: Logger,
): Promise<MetricsServer | undefined> {
  if (port === undefined) return undefined
  // Loaded only here: without the page nobody needs it.
  const { serveMetrics } = await import('../metrics/metrics-server.js')
  return serveMetrics({ host, port }, logger)
}
