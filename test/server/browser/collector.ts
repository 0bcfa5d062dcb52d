import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { afterEach } from '@jest/globals'
import express from 'express'
import type { DestinationSettings } from '../../../plugin/settings/settings.js'
import {
  type FirehoseProxy,
  firehoseProxy,
  type ProxyConfig,
  type SourceConfig,
} from '../../../server/index.js'
import type { LocalAws, LocalAwsOptions } from '../../../server/local-aws/index.js'
import { type RunningServer, serve } from '../../../server/serve.js'
import { startTestAws, type TestAws } from '../../integration/aws.js'
import { listen } from '../proxy-harness.js'
import { Arrivals } from './arrivals.js'

export const WEB_KEY = 'web-key'
const MOUNT = '/analytics'
const STREAM = 'everything'

/** How the proxy is run. */
export type Hosting = 'mounted in an Express app' | 'serve'

/** A request as the server saw it. */
export interface Seen {
  readonly method: string
  /** With the path of the mount. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly status: number
  readonly answer: IncomingHttpHeaders
  /** When it came and when its answer went, in ms of one clock. */
  readonly cameAt: number
  readonly answeredAt: number
}

export interface CollectorOptions {
  readonly hosting?: Hosting
  readonly aws?: LocalAwsOptions
  /** What is different of the source. */
  readonly source?: Partial<SourceConfig>
  readonly destination?: Partial<DestinationSettings>
  /** What is different of the config; more sources too. */
  readonly config?: Omit<Partial<ProxyConfig>, 'sources'>
  readonly otherSources?: readonly Partial<SourceConfig>[]
  /** Sees each request before the proxy does. */
  readonly before?: (req: IncomingMessage, res: ServerResponse) => void
}

export type Delivered = Readonly<Record<string, unknown>>

/** The proxy of one source `src_web`, which delivers to a local AWS through the AWS SDK. */
export interface Collector {
  /** Where it is mounted. */
  readonly url: string
  readonly aws: LocalAws
  readonly proxy: FirehoseProxy
  /** Each request when it is answered, or given up by its sender. */
  readonly requests: Arrivals<Seen>
  /** Resolves to requests of a path below the mount when so many are answered. */
  posted(path: string, count?: number): Promise<Seen[]>
  /** Waits for so many records, and then for all that is under way; reads what is in the files. */
  records(count: number): Promise<Delivered[]>
  /** The same as the text that is in the files. */
  lines(count: number): Promise<string[]>
  /** What `GET /snippet/:writeKey` gives. */
  snippet(): Promise<string>
}

const closing: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

export async function startCollector(options: CollectorOptions = {}): Promise<Collector> {
  const taken = new Arrivals<string>()
  const test = await startTestAws({ ...options.aws, onRecord: ({ recordId }) => taken.add(recordId) })
  closing.push(() => test.close())
  const proxy = firehoseProxy(configOf(test, options))
  const requests = new Arrivals<Seen>()
  const observed = observe(proxy, requests, options.before)
  const url = await host(observed, options.hosting ?? 'serve')
  const { pathname } = new URL(`${url}/`)
  const lines = async (count: number) => {
    await taken.until(count)
    await proxy.flush()
    return test.lines(STREAM)
  }
  return {
    url,
    aws: test.aws,
    proxy,
    requests,
    posted: (path, count = 1) =>
      requests.until(count, (it) => it.method === 'POST' && it.path === pathname.slice(0, -1) + path),
    lines,
    records: async (count) => (await lines(count)).map((line) => JSON.parse(line)),
    async snippet() {
      const answer = await fetch(`${url}/snippet/${WEB_KEY}`)
      if (answer.status !== 200) throw new Error(`The snippet is answered ${answer.status}`)
      return answer.text()
    },
  }
}

function configOf(
  aws: TestAws,
  { source, destination, otherSources = [], config }: CollectorOptions,
): ProxyConfig {
  const web: SourceConfig = {
    id: 'src_web',
    name: 'Website',
    writeKey: WEB_KEY,
    destination: settingsOf(aws, destination),
  }
  const silent = { info() {}, warn() {}, error() {} }
  return {
    logger: silent,
    ...config,
    sources: [{ ...web, ...source }, ...otherSources.map((other) => ({ ...web, ...other }))],
  }
}

/** Memory is the proxy's to cap, and the source's ID is the external ID. */
function settingsOf(aws: TestAws, more: Partial<DestinationSettings> = {}): SourceConfig['destination'] {
  const { sourceId: _own, maxBufferedBytes: _all, ...settings } = aws.settings()
  return { ...settings, deliveryTimeout: 2_000, ...more } as SourceConfig['destination']
}

type Handler = Pick<FirehoseProxy, 'close' | 'readiness'> &
  ((req: IncomingMessage, res: ServerResponse, next?: (error?: unknown) => void) => void)

function observe(
  proxy: FirehoseProxy,
  requests: Arrivals<Seen>,
  before: CollectorOptions['before'] = () => {},
): Handler {
  const handle = (
    req: IncomingMessage & { readonly originalUrl?: string },
    res: ServerResponse,
    next?: (error?: unknown) => void,
  ) => {
    const cameAt = performance.now()
    const { method = '', headers } = req
    const path = req.originalUrl ?? req.url ?? ''
    res.once('close', () => {
      const answer = res.getHeaders() as IncomingHttpHeaders
      const status = res.statusCode
      requests.add({ method, path, headers, status, answer, cameAt, answeredAt: performance.now() })
    })
    before(req, res)
    proxy(req, res, next)
  }
  return Object.assign(handle, { close: proxy.close, readiness: proxy.readiness })
}

async function host(handler: Handler, hosting: Hosting): Promise<string> {
  if (hosting === 'serve') {
    const server: RunningServer = await serve({ proxy: handler, host: '127.0.0.1', port: 0 })
    closing.push(() => server.close({ timeout: 0 }))
    return server.url
  }
  closing.push(() => handler.close({ timeout: 0 }))
  return `${await listen(express().use(MOUNT, handler))}${MOUNT}`
}
