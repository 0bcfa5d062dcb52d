import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { type Browser, chromium, type Page } from 'playwright-core'
import { trustOf } from '../../../server/http/client-address.js'
import { Endpoints } from '../../../server/http/endpoint.js'
import type { BrowserSettings } from '../../../server/web/browser-settings.js'
import { publicUrlOf } from '../../../server/web/public-url.js'
import { Resources } from '../../../server/web/resources.js'
import { renderSnippet } from '../../../server/web/snippet.js'
import { findBrowser, requireBrowserInCi } from '../../browser.js'

const KEY = 'web-key'
const CUSTOM_PATH = '/x7'
const ENDPOINTS = new Endpoints(CUSTOM_PATH)

const executable = findBrowser()
requireBrowserInCi(executable)

interface Sent {
  readonly path: string
  readonly body: Record<string, unknown>
}

/** A server of resources that keeps what is sent to it, and lets tests wait for it. */
class Recorder {
  readonly gets: string[] = []
  readonly sent: Sent[] = []
  readonly #waiting: { readonly path: string; readonly count: number; readonly resolve: () => void }[] = []
  readonly #resources = new Resources()
  readonly #browserSettings: BrowserSettings

  constructor(browserSettings: BrowserSettings) {
    this.#browserSettings = browserSettings
  }

  readonly handle = (req: IncomingMessage, res: ServerResponse): void => {
    res.setHeader('Access-Control-Allow-Origin', '*')
    res.setHeader('Access-Control-Allow-Headers', 'authorization, content-type, x-retry-count')
    this.#handle(req, res).catch((error) => res.writeHead(error.status ?? 500).end(String(error)))
  }

  /** Resolves to the bodies sent to `path` when there are `count` of them. */
  async at(path: string, count = 1): Promise<Sent['body'][]> {
    await new Promise<void>((resolve) => {
      this.#waiting.push({ path, count, resolve })
      this.#wake()
    })
    return this.#bodiesAt(path)
  }

  #bodiesAt(path: string): Sent['body'][] {
    return this.sent.filter((it) => it.path === path).map(({ body }) => body)
  }

  #wake(): void {
    for (const { path, count, resolve } of this.#waiting) {
      if (this.#bodiesAt(path).length >= count) resolve()
    }
  }

  async #handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const path = req.url ?? ''
    if (req.method === 'OPTIONS') return void res.writeHead(204).end()
    if (req.method === 'POST') {
      this.sent.push({ path, body: JSON.parse(await text(req)) })
      res.writeHead(200, { 'Content-Type': 'application/json' }).end('{"success":true}')
      return this.#wake()
    }
    this.gets.push(path)
    const endpoint = ENDPOINTS.at(path)
    if (typeof endpoint === 'string' || !('writeKey' in endpoint || 'file' in endpoint))
      return void res.writeHead(404).end()
    const url = publicUrlOf(req, { configured: undefined, trust: trustOf(false) })
    const source = { browser: this.#browserSettings }
    await this.#resources.answer(req, res, endpoint, { url, source, customPath: CUSTOM_PATH })
  }
}

const servers: Server[] = []

async function listen(handle: (req: IncomingMessage, res: ServerResponse) => void): Promise<string> {
  const server = createServer(handle)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

const whereThereIsABrowser = executable === undefined ? describe.skip : describe

whereThereIsABrowser('analytics.js in a browser', () => {
  let browser: Browser
  let page: Page
  let elsewhere: string[]
  let problems: string[]

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: executable ?? '', args: ['--no-sandbox'] })
  })
  afterAll(() => browser.close())

  beforeEach(async () => {
    page = await browser.newPage()
    elsewhere = []
    problems = []
    page.on('pageerror', (error) => void problems.push(String(error)))
  })
  afterEach(async () => {
    await page.close()
    await Promise.all(
      servers.splice(0).map((server) => {
        const closed = new Promise((resolve) => server.close(resolve))
        server.closeAllConnections()
        return closed
      }),
    )
    expect(elsewhere).toEqual([])
    expect(problems).toEqual([])
  })

  /** Opens a page of another origin, which may load nothing but itself and what is at `host`. */
  async function open(host: string, head: string, query = ''): Promise<void> {
    const html = `<!doctype html><title>Shop</title>${head}<a id="link" href="/next">Next</a>`
    const site = await listen(
      (_req, res) => void res.writeHead(200, { 'Content-Type': 'text/html' }).end(html),
    )
    await page.route('**', (route) => {
      const url = new URL(route.request().url())
      if (url.host === host || url.host === site) return route.continue()
      elsewhere.push(url.href)
      return route.abort()
    })
    await page.goto(`http://${site}/shop${query}`)
  }

  async function snippetFor(host: string, customPath?: string): Promise<string> {
    const url = { protocol: 'http', host, path: '', isConfigured: false } as const
    return renderSnippet({ writeKey: KEY, url, customPath })
  }

  it('loads, is set and sends at this server only', async () => {
    const recorder = new Recorder({})
    const host = await listen(recorder.handle)
    await open(host, await snippetFor(host))
    const [viewed] = await recorder.at('/v1/p')
    expect(viewed).toMatchObject({
      type: 'page',
      writeKey: KEY,
      properties: { title: 'Shop', path: '/shop' },
    })
    await page.evaluate("analytics.track('Bought', { price: 3 })")
    const [bought] = await recorder.at('/v1/t')
    expect(bought).toMatchObject({ type: 'track', writeKey: KEY, event: 'Bought', properties: { price: 3 } })
    await page.evaluate("analytics.identify('u1', { plan: 'pro' })")
    expect(await recorder.at('/v1/i')).toMatchObject([
      { userId: 'u1', traits: { plan: 'pro' }, writeKey: KEY },
    ])
    expect(recorder.gets).toEqual([
      `/analytics.js/v1/${KEY}/analytics.min.js`,
      `/v1/projects/${KEY}/settings`,
    ])
  })

  it('loads its parts from this server: those for links and for query strings', async () => {
    const recorder = new Recorder({})
    const host = await listen(recorder.handle)
    await open(host, await snippetFor(host), '?ajs_event=Came&ajs_uid=u2')
    expect(await recorder.at('/v1/t')).toMatchObject([{ event: 'Came', userId: 'u2' }])
    await page.evaluate(
      "analytics.ready(() => analytics.trackLink(document.querySelector('#link'), 'Followed').then(() => { document.title = 'tracked' }))",
    )
    await page.waitForFunction("document.title === 'tracked'")
    await page.click('#link')
    expect(await recorder.at('/v1/t', 2)).toMatchObject([{}, { event: 'Followed', writeKey: KEY }])
    await page.waitForURL('**/next')
    expect(recorder.gets).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^\/analytics-next\/bundles\/queryString\.bundle\.\w+\.js$/),
        expect.stringMatching(/^\/analytics-next\/bundles\/auto-track\.bundle\.\w+\.js$/),
      ]),
    )
  })

  it('stays under the custom path, if it comes from there', async () => {
    const recorder = new Recorder({})
    const host = await listen(recorder.handle)
    await open(host, await snippetFor(host, CUSTOM_PATH), '?ajs_event=Came')
    await recorder.at(`${CUSTOM_PATH}/p`)
    expect(await recorder.at(`${CUSTOM_PATH}/t`)).toMatchObject([{ event: 'Came', writeKey: KEY }])
    const paths = [...recorder.gets, ...recorder.sent.map(({ path }) => path)]
    expect(paths.filter((path) => !path.startsWith(`${CUSTOM_PATH}/`))).toEqual([])
    expect(recorder.gets).toContainEqual(expect.stringMatching(/^\/x7\/b\/[0-9a-f]+\.js$/))
  })

  it('sends batches where the settings say so', async () => {
    const recorder = new Recorder({ deliveryStrategy: { strategy: 'batching', config: { size: 2 } } })
    const host = await listen(recorder.handle)
    await open(host, await snippetFor(host))
    await page.evaluate("analytics.track('Bought')")
    const [batch] = await recorder.at('/v1/b')
    expect(batch?.['writeKey']).toBe(KEY)
    // In either order: calls of the snippet wait for a task of their own.
    const events = batch?.['batch'] as { readonly type: string }[]
    expect(events.map(({ type }) => type).sort()).toEqual(['page', 'track'])
  })

  it('is not led away by a script tag of another analytics.js, nor in want of a snippet', async () => {
    const recorder = new Recorder({})
    const host = await listen(recorder.handle)
    const other = 'https://cdn.segment.com/analytics.js/v1/other/analytics.min.js'
    await open(
      host,
      // Of a type that browsers do not run: the tag alone would lead it away.
      `<script type="text/plain" src="${other}"></script>
       <script>window.analytics = [['track', 'Early']]</script>
       <script src="http://${host}/analytics.js/v1/${KEY}/analytics.min.js"></script>`,
    )
    expect(await recorder.at('/v1/t')).toMatchObject([{ event: 'Early', writeKey: KEY }])
  })

  it('tells of its own errors at this server', async () => {
    const recorder = new Recorder({})
    const host = await listen(recorder.handle)
    await open(host, await snippetFor(host))
    await recorder.at('/v1/p')
    await page.evaluate(
      `document.dispatchEvent(Object.assign(new Event('securitypolicyviolation'), { disposition: 'enforce', blockedURI: 'https://cdn.segment.com/x' }))`,
    )
    const [told] = await recorder.at('/v1/m')
    expect(told).toMatchObject({ series: [{ metric: 'analytics_js.invoke.error' }] })
  })
})
