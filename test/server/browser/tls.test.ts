import { expect, it } from '@jest/globals'
import { startCollector, WEB_KEY } from './collector.js'
import { pagesOf } from './site.js'
import { frontOf, listenWithHttp2, listenWithTls, makeCertificate } from './tls-front.js'
import { visitor, whereThereIsABrowser } from './visitor.js'

const CLIENT = '203.0.113.7'

const certificate = makeCertificate()
if (certificate === undefined) console.warn('SKIPPED: No openssl found on the PATH: there is no certificate.')
const withTls = certificate === undefined ? it.skip : it

whereThereIsABrowser('behind a reverse proxy that ends TLS', () => {
  const { open, asked } = visitor({ ignoreHTTPSErrors: true })

  withTls.each(['', '/analytics'])('a page of https loads and sends by https only: %j', async (mount) => {
    const pair = certificate ?? { key: '', cert: '' }
    const hosting = mount === '' ? 'serve' : 'mounted in an Express app'
    const collector = await startCollector({ hosting, config: { trustProxy: 1 } })
    const front = await listenWithTls(
      pair,
      frontOf(() => new URL(collector.url).origin, CLIENT),
    )
    const site = { head: await snippetAt(collector.url, new URL(front).host) }
    const page = await open(await listenWithTls(pair, pagesOf(site)))
    await page.waitForFunction('analytics.initialized')
    await page.evaluate("analytics.trackLink(document.querySelector('#link'), 'Followed')")
    await page.click('#link')
    await page.waitForURL('**/next')
    const records = await collector.records(3)
    expect(records.map(({ type }) => type).sort()).toEqual(['page', 'page', 'track'])
    expect(records.map(({ context }) => (context as { ip?: unknown }).ip)).toEqual(Array(3).fill(CLIENT))
    const loaded = asked.filter((url) => url.startsWith(`${front}${mount}/`))
    expect(loaded).toContainEqual(expect.stringMatching(/analytics\.min\.js$/))
    expect(loaded).toContainEqual(expect.stringMatching(/settings$/))
    expect(loaded).toContainEqual(expect.stringMatching(/auto-track\.bundle/))
    expect(loaded).toContainEqual(expect.stringMatching(/\/v1\/t$/))
    expect(asked.filter((url) => !url.startsWith('https://'))).toEqual([])
  })
})

whereThereIsABrowser('on a host of its own that speaks HTTP/2', () => {
  const { open } = visitor({ ignoreHTTPSErrors: true })

  withTls('analytics.js is loaded, and its events are delivered', async () => {
    const collector = await startCollector({ source: { origins: ['https://www.example.com'] } })
    const site = { head: '' }
    const pages = pagesOf(site)
    const url = await listenWithHttp2(certificate ?? { key: '', cert: '' }, (req, res) =>
      collector.proxy(req, res, () => pages(req, res)),
    )
    // The snippet, in short.
    site.head = `<script>
      window.analytics = Object.assign([['page']], { _writeKey: '${WEB_KEY}', _cdn: '${url}', invoked: true })
    </script>
    <script async src="${url}/analytics.js/v1/${WEB_KEY}/analytics.min.js"></script>`
    const page = await open(`${url}/shop`)
    await page.waitForFunction('analytics.initialized')
    await page.evaluate("analytics.track('Bought')")
    const records = await collector.records(2)
    expect(records.map(({ type, channel }) => [type, channel]).sort()).toEqual([
      ['page', 'client'],
      ['track', 'client'],
    ])
    for (const path of ['/v1/p', '/v1/t']) {
      await page.waitForFunction(`performance.getEntriesByName('${url}${path}').length > 0`)
    }
    const loaded = (await page.evaluate(
      "performance.getEntriesByType('resource').map(({ name, nextHopProtocol }) => [nextHopProtocol, name])",
    )) as [string, string][]
    expect(new Set(loaded.map(([protocol]) => protocol))).toEqual(new Set(['h2']))
    const paths = loaded.map(([, name]) => new URL(name).pathname)
    expect(paths).toContain(`/v1/projects/${WEB_KEY}/settings`)
  })
})

/** As who asks for it through the reverse proxy has it; Node itself would not trust that certificate. */
async function snippetAt(url: string, host: string): Promise<string> {
  const headers = { 'x-forwarded-proto': 'https', 'x-forwarded-host': host }
  return (await fetch(`${url}/snippet/web-key`, { headers })).text()
}
