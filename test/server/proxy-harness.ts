import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach } from '@jest/globals'
import { createClientPool } from '../../plugin/aws/client-pool.js'
import { systemClock } from '../../plugin/clock.js'
import type { DeadLetter } from '../../plugin/dead-letters/dead-letter.js'
import { ByteBudget } from '../../plugin/delivery/byte-budget.js'
import { UnmappedNotice } from '../../plugin/unmapped-notice.js'
import { AllowedOrigins } from '../../server/http/allowed-origins.js'
import { trustOf } from '../../server/http/client-address.js'
import { Endpoints } from '../../server/http/endpoint.js'
import { createProxy, type ProxyParts } from '../../server/proxy.js'
import type { Site } from '../../server/site.js'
import type { Source } from '../../server/source.js'
import { Sources } from '../../server/sources.js'
import { FakeDestination } from './fake-destination.js'

/** 2026-01-02T03:04:05.678Z */
export const NOW = Date.UTC(2026, 0, 2, 3, 4, 5, 678)
export const NOW_ISO = '2026-01-02T03:04:05.678Z'

export const WEB_KEY = 'web-write-key'
export const APP_KEY = 'app-write-key'

/** A source as one of a config that says nothing of it but where events go. */
export function plainSource(parts: Pick<Source, 'id' | 'name' | 'writeKeys' | 'destination'>): Source {
  return {
    enabled: true,
    origins: new AllowedOrigins('*'),
    ip: 'keep',
    timestamps: 'segment',
    rateLimit: undefined,
    eventRateLimit: undefined,
    duplicates: undefined,
    unmapped: new UnmappedNotice({ logger: { info() {}, warn() {}, error() {} }, clock: systemClock }),
    browser: {},
    forwarder: undefined,
    cdn: undefined,
    ...parts,
  }
}

export function siteOf(sources: readonly Source[], parts: Partial<Site> = {}): Site {
  return {
    sources: new Sources(sources, new AllowedOrigins('*')),
    endpoints: new Endpoints(),
    trust: trustOf(false),
    publicUrl: undefined,
    customPath: undefined,
    ...parts,
  }
}

export interface HarnessParts extends Partial<ProxyParts> {
  /** What is different of the source `Website`. */
  readonly source?: Partial<Source>
  /** What is different of the site. */
  readonly more?: Partial<Site>
}

/** A proxy of two sources with destinations that deliver nowhere, and all that it writes. */
export function proxyHarness({ source = {}, more = {}, ...parts }: HarnessParts = {}) {
  const web = new FakeDestination()
  const app = new FakeDestination()
  const letters: DeadLetter[] = []
  const lines: string[] = []
  const log = (line: unknown) => void lines.push(String(line))
  let ids = 0
  const sources = [
    {
      ...plainSource({
        id: 'src_web',
        name: 'Website',
        writeKeys: [WEB_KEY, 'web-write-key-2'],
        destination: web,
      }),
      ...source,
    },
    plainSource({ id: 'src_app', name: 'App', writeKeys: [APP_KEY], destination: app }),
  ]
  const budget = parts.budget ?? new ByteBudget(64 * 1024 * 1024)
  const proxy = createProxy({
    site: siteOf(sources, more),
    pool: createClientPool(),
    budget,
    clock: { ...systemClock, wallTime: () => NOW },
    logger: { info: log, warn: log, error: log },
    newId: () => `id-${++ids}`,
    deadLetters: { write: async (given) => void letters.push(...given.map(plainLetter)) },
    ...parts,
  })
  return { proxy, web, app, letters, lines, budget }
}

/** The letter as it is read back from its line. */
function plainLetter(letter: DeadLetter): DeadLetter {
  return JSON.parse(JSON.stringify(letter)) as DeadLetter
}

const servers: Server[] = []

/** Listens on a free port until the test is over. Returns the URL. */
export async function listen(handler: RequestListener): Promise<string> {
  const server = createServer(handler)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

afterEach(async () => {
  await Promise.all(
    servers.splice(0).map((server) => {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      return closed
    }),
  )
})

export function basic(writeKey: string): string {
  return `Basic ${Buffer.from(`${writeKey}:`).toString('base64')}`
}
