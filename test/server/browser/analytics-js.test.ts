import { expect, it } from '@jest/globals'
import type { Page } from 'playwright-core'
import { type Collector, type Delivered, type Hosting, startCollector, WEB_KEY } from './collector.js'
import { PACKAGE_PATH, startSite } from './site.js'
import { visitor, whereThereIsABrowser } from './visitor.js'

const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/

/** One call of each kind, the last to come with a click. */
const CALLS = `(async () => {
  await client.track('Bought', { price: 3 })
  await client.alias('u1', 'before')
  await client.identify('u1', { plan: 'pro' })
  await client.group('g1', { name: 'Acme' })
  await client.trackLink(document.querySelector('#link'), 'Followed')
})()`

whereThereIsABrowser('analytics.js on a page of another origin delivers to AWS', () => {
  const { open, elsewhere } = visitor()

  it.each<Hosting>(['mounted in an Express app', 'serve'])('by the snippet: %s', async (hosting) => {
    const collector = await startCollector({ hosting })
    const site = await startSite(await collector.snippet())
    const page = await open(`${site.url}/shop`)
    await expectEachKind(collector, page, 'window.client = analytics')
  })

  it('by the npm package', async () => {
    const collector = await startCollector({ hosting: 'mounted in an Express app' })
    const cdnURL = JSON.stringify(collector.url)
    // A bundler would have the parts that it loads in the page's own files; its browser build asks `_cdn`.
    const site = await startSite(
      `<script>window.analytics = Object.assign([], { _cdn: ${cdnURL} })</script>
       <script src="${PACKAGE_PATH}"></script>
       <script>
         window.client = AnalyticsNext.AnalyticsBrowser.load({ writeKey: '${WEB_KEY}', cdnURL: ${cdnURL} })
         client.page()
       </script>`,
    )
    const page = await open(`${site.url}/shop`)
    await expectEachKind(collector, page, '')
    expect(collector.requests.all.filter(({ path }) => path.includes('/analytics.js/'))).toEqual([])
  })

  it('and would be seen to ask another host', async () => {
    const site = await startSite()
    const page = await open(site.url)
    const ask = (url: string) => page.evaluate(`fetch('${url}', { mode: 'no-cors' }).catch(() => {})`)
    await ask('https://api.segment.io/v1/t')
    await ask('http://cdn.segment.com/v1')
    // By the page, and by the proxy that it has to take.
    expect(elsewhere.splice(0).sort()).toEqual([
      'api.segment.io:443',
      'http://cdn.segment.com/v1',
      'http://cdn.segment.com/v1',
      'https://api.segment.io/v1/t',
    ])
  })
})

/** From a page that has called `page`, as the next one does. */
async function expectEachKind(collector: Collector, page: Page, prepare: string): Promise<void> {
  await collector.records(1)
  await page.evaluate(`${prepare};${CALLS}`)
  await page.click('#link')
  await page.waitForURL('**/next')
  const records = await collector.records(7)
  const userAgent = await page.evaluate('navigator.userAgent')
  const { anonymousId } = records[0] ?? {}
  expect(anonymousId).toMatch(UUID)
  const common = {
    messageId: expect.stringMatching(/^ajs-next-\d+-/),
    anonymousId,
    channel: 'client',
    version: 2,
    projectId: 'src_web',
    context: { ip: '127.0.0.1', userAgent, library: { name: 'analytics.js' } },
  }
  expect(records.sort(byCall)).toMatchObject([
    { ...common, type: 'alias', userId: 'u1', previousId: 'before' },
    { ...common, type: 'group', userId: 'u1', groupId: 'g1', traits: { name: 'Acme' } },
    { ...common, type: 'identify', userId: 'u1', traits: { plan: 'pro' } },
    { ...common, type: 'page', userId: 'u1', properties: { path: '/next' } },
    { ...common, type: 'page', userId: null, properties: { path: '/shop', title: 'Shop' } },
    { ...common, type: 'track', userId: null, event: 'Bought', properties: { price: 3 } },
    { ...common, type: 'track', userId: 'u1', event: 'Followed' },
  ])
  expect(new Set(records.map(({ messageId }) => messageId)).size).toBe(7)
  expect(records.filter((record) => 'writeKey' in record)).toEqual([])
  expect(collector.requests.all.filter(({ status }) => status >= 300)).toEqual([])
  expect(collector.requests.all.map(({ path }) => path)).toContainEqual(
    expect.stringMatching(/\/analytics-next\/bundles\/auto-track\.bundle\.\w+\.js$/),
  )
}

function byCall(a: Delivered, b: Delivered): number {
  return callOf(a) < callOf(b) ? -1 : 1
}

function callOf({ type, event, properties }: Delivered): string {
  return `${type} ${event ?? (properties as { path?: string } | undefined)?.path}`
}
