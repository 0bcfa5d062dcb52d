import type { IncomingMessage, ServerResponse } from 'node:http'
import { afterEach, describe, expect, it } from '@jest/globals'
import RudderAnalytics from '@rudderstack/rudder-sdk-node'
import { Analytics } from '@segment/analytics-node'
// @ts-expect-error it has no types
import untyped from 'analytics-node'
import { basic, listen, proxyHarness, WEB_KEY } from '../proxy-harness.js'

const TYPES = ['alias', 'group', 'identify', 'page', 'screen', 'track']

/** What a request said, as it came. */
interface Seen {
  readonly url: string | undefined
  readonly headers: IncomingMessage['headers']
}

/** A proxy before which a test can put an answer of its own, and which tells what came. */
async function start() {
  const harness = proxyHarness()
  const seen: Seen[] = []
  const first: ((res: ServerResponse) => void)[] = []
  const url = await listen((req, res) => {
    seen.push({ url: req.url, headers: req.headers })
    const answer = first.shift()
    if (answer === undefined) harness.proxy(req, res)
    else {
      req.resume()
      answer(res)
    }
  })
  return { ...harness, url, seen, first }
}

/** As the proxy answers at its memory cap, though sooner to be tried again. */
function unavailable(res: ServerResponse): void {
  res.writeHead(503, { 'Content-Type': 'application/json', 'Retry-After': '1' })
  res.end('{"code":"memory_full","message":"…","error":"…"}')
}

const closing: (() => unknown)[] = []
afterEach(() => Promise.all(closing.splice(0).map((close) => close())))

describe('@segment/analytics-node', () => {
  const connect = (host: string, writeKey = WEB_KEY) => {
    const analytics = new Analytics({ writeKey, host, flushAt: 5, flushInterval: 50, maxRetries: 3 })
    closing.push(() => analytics.closeAndFlush({ timeout: 1_000 }))
    const errors: unknown[] = []
    analytics.on('error', (error) => errors.push(error))
    return { analytics, errors }
  }

  it('delivers all six types', async () => {
    const { url, seen, web, letters } = await start()
    const { analytics, errors } = connect(url)
    analytics.track({ event: 'Signed Up', userId: 'u1', properties: { at: new Date(0) } })
    analytics.identify({ userId: 'u1', traits: { plan: 'free' } })
    analytics.group({ groupId: 'g1', userId: 'u1' })
    analytics.page({ anonymousId: 'a1', name: 'Home' })
    analytics.screen({ anonymousId: 'a1', name: 'Main' })
    analytics.alias({ userId: 'u1', previousId: 'a1' })
    await analytics.closeAndFlush()
    expect([errors, letters]).toEqual([[], []])
    expect(web.delivered.map(({ type }) => type).sort()).toEqual(TYPES)
    expect(seen[0]).toMatchObject({
      url: '/v1/batch',
      headers: { authorization: basic(WEB_KEY), 'content-type': 'application/json' },
    })
    for (const record of web.delivered) {
      expect(record).toMatchObject({
        messageId: expect.stringContaining('node-next-'),
        context: { library: { name: '@segment/analytics-node' } },
        channel: 'server',
      })
    }
  })

  it('delivers many, each once', async () => {
    const { url, web, seen, budget } = await start()
    const { analytics, errors } = connect(url)
    for (let i = 0; i < 200; i++)
      analytics.track({ event: 'E', userId: `u${i}`, properties: { pad: 'x'.repeat(1_000) } })
    await analytics.closeAndFlush()
    expect(errors).toEqual([])
    expect(new Set(web.delivered.map(({ userId }) => userId)).size).toBe(200)
    expect(web.delivered).toHaveLength(200)
    expect(seen.length).toBeGreaterThanOrEqual(40)
    expect(budget.used).toBe(0)
  })

  it('loses nothing and doubles nothing over a 503', async () => {
    const { url, web, seen, first } = await start()
    first.push(unavailable)
    const { analytics, errors } = connect(url)
    for (let i = 0; i < 5; i++) analytics.track({ event: 'E', userId: `u${i}` })
    await analytics.closeAndFlush()
    expect(errors).toEqual([])
    expect(web.delivered.map(({ userId }) => userId).sort()).toEqual(['u0', 'u1', 'u2', 'u3', 'u4'])
    expect(seen.map(({ headers }) => headers['x-retry-count'])).toEqual([undefined, '1'])
  })

  it('shows a write key that is not known, without trying again', async () => {
    const { url, web, seen } = await start()
    const { analytics } = connect(url, 'mistyped-key')
    const told = new Promise((resolve) => analytics.on('error', resolve))
    const failure = new Promise((resolve) => analytics.track({ event: 'E', userId: 'u1' }, resolve))
    expect(await failure).toMatchObject({ message: '[401] Unauthorized' })
    expect(await told).toMatchObject({ code: 'delivery_failure' })
    expect([seen.length, web.calls]).toEqual([1, []])
  })
})

type Callback = (error?: Error) => void
type Methods = 'track' | 'identify' | 'group' | 'page' | 'screen' | 'alias'

/** What analytics-node was up to version 6, and what was made of it. */
type AxiosClient = Record<Methods, (event: object, callback: Callback) => unknown> & {
  flush(): Promise<unknown>
}

type AnalyticsNode6 = new (writeKey: string, settings: object) => AxiosClient

const AnalyticsNode6 = untyped as AnalyticsNode6

const settings = {
  flushAt: 20,
  flushInterval: 60_000,
  axiosRetryConfig: { retryDelay: () => 1 },
  logLevel: 'none',
  // Without it a failed flush is an unhandled rejection.
  errorHandler: () => {},
}

const axiosClients = [
  {
    name: 'analytics-node 6',
    encoding: undefined,
    contentType: /^application\/json/,
    connect: (writeKey: string, host: string): AxiosClient =>
      new AnalyticsNode6(writeKey, { host, ...settings }),
  },
  {
    name: '@rudderstack/rudder-sdk-node 3',
    encoding: 'gzip',
    // Axios takes a Buffer for a form.
    contentType: /^application\/x-www-form-urlencoded$/,
    connect: (writeKey: string, dataPlaneUrl: string) =>
      new RudderAnalytics(writeKey, { dataPlaneUrl, ...settings }) as unknown as AxiosClient,
  },
]

/** Sends the events. Resolves with the errors of their callbacks when each was called. */
async function sendAll(
  client: AxiosClient,
  events: readonly [Methods, object][],
): Promise<(Error | undefined)[]> {
  const sent = events.map(
    ([method, event]) => new Promise<Error | undefined>((done) => client[method](event, done)),
  )
  // The first event goes at once and alone, the others with this.
  await client.flush()
  return Promise.all(sent)
}

describe.each(axiosClients)('$name', ({ connect, encoding, contentType }) => {
  it('delivers all six types', async () => {
    const { url, seen, web, letters } = await start()
    const errors = await sendAll(connect(WEB_KEY, url), [
      ['track', { event: 'Signed Up', userId: 42, properties: { plan: 'free' } }],
      ['identify', { userId: 'u1', traits: { plan: 'free' } }],
      ['group', { groupId: 'g1', userId: 'u1' }],
      ['page', { anonymousId: 'a1', name: 'Home' }],
      ['screen', { anonymousId: 'a1', name: 'Main' }],
      ['alias', { userId: 'u1', previousId: 'a1' }],
    ])
    expect(errors.filter(Boolean)).toEqual([])
    expect(letters).toEqual([])
    expect(web.delivered.map(({ type }) => type).sort()).toEqual(TYPES)
    expect(seen[0]).toMatchObject({ url: '/v1/batch', headers: { authorization: basic(WEB_KEY) } })
    expect(seen[0]?.headers['content-type']).toMatch(contentType)
    expect(seen[0]?.headers['content-encoding']).toBe(encoding)
    for (const record of web.delivered) {
      expect(record).toMatchObject({
        messageId: expect.stringMatching(/[\da-f]{8}-[\da-f]{4}/),
        context: { library: { name: 'analytics-node' } },
        channel: 'server',
        originalTimestamp: expect.stringMatching(/^\d{4}-.*Z$/),
        sentAt: expect.stringMatching(/^\d{4}-.*Z$/),
        timestamp: expect.stringMatching(/^2026-01-02T03:04:0/),
      })
    }
  })

  it('loses nothing and doubles nothing over a 503', async () => {
    const { url, web, seen, first } = await start()
    first.push(unavailable, unavailable)
    const events = ['u0', 'u1', 'u2'].map((userId): [Methods, object] => ['track', { event: 'E', userId }])
    const errors = await sendAll(connect(WEB_KEY, url), events)
    expect(errors.filter(Boolean)).toEqual([])
    expect(web.delivered.map(({ userId }) => userId).sort()).toEqual(['u0', 'u1', 'u2'])
    expect(seen).toHaveLength(4)
  })

  it('shows a write key that is not known, without trying again', async () => {
    const { url, web, seen } = await start()
    const [error] = await sendAll(connect('mistyped-key', url), [['track', { event: 'E', userId: 'u1' }]])
    expect(error?.message).toContain('401')
    expect([seen.length, web.calls]).toEqual([1, []])
  })
})

describe('a page, without a library', () => {
  const event = { event: 'Left', anonymousId: 'a1' }
  const withKey = JSON.stringify({ ...event, writeKey: WEB_KEY })

  it.each<[string, RequestInit]>([
    ['fetch with keepalive and the key in the body', { body: withKey, keepalive: true }],
    [
      'fetch with keepalive and HTTP Basic',
      { body: JSON.stringify(event), keepalive: true, headers: { authorization: basic(WEB_KEY) } },
    ],
    // navigator.sendBeacon sends a string as text/plain and a Blob as its type says, and cannot set headers.
    ['a beacon of a string', { body: withKey, headers: { 'content-type': 'text/plain;charset=UTF-8' } }],
    ['a beacon of a Blob', { body: new Blob([withKey], { type: 'application/json' }) }],
    ['a beacon of a Blob without a type', { body: new Blob([withKey]) }],
  ])('can send by %s', async (_name, init) => {
    const { url, web } = await start()
    const res = await fetch(`${url}/v1/track`, { method: 'POST', ...init })
    expect([res.status, await res.text()]).toEqual([200, '{"success":true}'])
    expect(web.delivered).toMatchObject([{ type: 'track', ...event }])
  })
})
