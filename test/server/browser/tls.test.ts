import { expect, it } from '@jest/globals'
import { startCollector } from './collector.js'
import { pagesOf } from './site.js'
import { frontOf, listenWithTls, makeCertificate } from './tls-front.js'
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

/** As who asks for it through the reverse proxy has it; Node itself would not trust that certificate. */
async function snippetAt(url: string, host: string): Promise<string> {
  const headers = { 'x-forwarded-proto': 'https', 'x-forwarded-host': host }
  return (await fetch(`${url}/snippet/web-key`, { headers })).text()
}
