import { systemClock } from '../../plugin/clock.js'
import { guarded } from '../../plugin/logger.js'
import type { ProxyConfiguration } from '../config/configuration.js'
import { type ConfiguredProxy, preloadFor, proxyOf } from '../firehose-proxy.js'
import { measuresOf, type ServeMeasures } from '../metrics/measures.js'
import { watchOpenFiles } from '../open-files-watch.js'
import { type RunningServer, type ServeAddress, serve } from '../serve.js'
import type { ReloadOptions } from './reload.js'
import type { Adapt, Served } from './served-configuration.js'

/** Container platforms kill 10 s after they ask: by then what is queued must be delivered. */
export const SHUTDOWN_TIMEOUT_MS = 8_000

/** What serves in this process. */
interface ServingHere {
  readonly server: RunningServer
  readonly proxy: ConfiguredProxy
  /** Resolves to why it cannot go on. */
  readonly failed: Promise<Error>
}

/** Serves in this process. */
export async function serveHere(
  configuration: ProxyConfiguration,
  address: ServeAddress,
  shared?: Parameters<typeof proxyOf>[1],
): Promise<ServingHere> {
  const proxy = proxyOf(configuration, shared)
  let fail: (error: Error) => void = () => {}
  const failed = new Promise<Error>((resolve) => {
    fail = resolve
  })
  const preload = () => preloadFor(configuration).catch((cause: Error) => fail(notLoaded(cause)))
  try {
    const server = await serve({ proxy, ...address, logger: configuration.logger, preload })
    const openFiles = watchOpenFiles({ clock: systemClock, logger: guarded(configuration.logger) })
    const close: RunningServer['close'] = (options) => server.close(options).finally(() => openFiles.close())
    return { server: { ...server, close }, proxy, failed }
  } catch (error) {
    await proxy.close({ timeout: 0 })
    throw error
  }
}

/** Only another process can: this one would refuse every event, for as long as it lives. */
function notLoaded(cause: Error): Error {
  return new Error(`The AWS SDK cannot be loaded: ${cause.message}`, { cause })
}

/** What serves, in this process or in others. */
export interface Serving {
  readonly server: RunningServer
  /** Serves what was loaded from now on. */
  readonly take: ReloadOptions['take']
  /** For the metrics page. Never rejects, and takes a second or so at most. */
  readonly measure: () => Promise<ServeMeasures>
  /** Resolves to why it cannot go on. */
  readonly failed: Promise<Error>
}

/** {@link serveHere}, and nowhere else. */
export async function serveAlone(
  served: Served,
  { adapt, ...address }: ServeAddress & { readonly adapt: Adapt },
): Promise<Serving> {
  const { server, proxy, failed } = await serveHere(served, address)
  return {
    server,
    take: ({ configuration }) => proxy.reconfigure(adapt(configuration)),
    measure: async () => ({
      workers: [await measuresOf(proxy, served.maxBufferedBytes, systemClock)],
      restarts: 0,
      primary: undefined,
    }),
    failed,
  }
}
