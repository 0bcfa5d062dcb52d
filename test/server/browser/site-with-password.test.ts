import type { RequestListener } from 'node:http'
import { expect, it } from '@jest/globals'
import { listen } from '../proxy-harness.js'
import { startCollector, WEB_KEY } from './collector.js'
import { pagesOf } from './site.js'
import { frontOf } from './tls-front.js'
import { visitor, whereThereIsABrowser } from './visitor.js'

const CREDENTIALS = { username: 'visitor', password: 'secret' }
const OF_THE_SITE = `Basic ${Buffer.from('visitor:secret').toString('base64')}`
const EVENT = { anonymousId: 'a1', writeKey: WEB_KEY }

whereThereIsABrowser('a site behind HTTP Basic, with the collector on its own host,', () => {
  const { open } = visitor({ httpCredentials: CREDENTIALS })

  it('delivers what its pages send with a write key in the body, and with the key of analytics.js', async () => {
    const collector = await startCollector({
      hosting: 'mounted in an Express app',
      config: { trustProxy: 1 },
    })
    const site = { head: '' }
    const url = await listen(behindPassword(pagesOf(site), collector.url))
    const loaded = await fetch(`${url}/analytics/snippet/${WEB_KEY}`, {
      headers: { authorization: OF_THE_SITE },
    })
    site.head = await loaded.text()
    const page = await open(`${url}/shop`)
    await collector.records(1)
    const sent = await page.evaluate(
      `(async () => {
        const body = (event) => JSON.stringify({ ...${JSON.stringify(EVENT)}, event, messageId: event })
        const res = await fetch('/analytics/v1/track', { method: 'POST', body: body('Fetched') })
        return [res.status, navigator.sendBeacon('/analytics/v1/track', body('Beacon'))]
      })()`,
    )
    expect(sent).toEqual([200, true])
    const records = await collector.records(3)
    expect(records.map(({ type, event }) => event ?? type).sort()).toEqual(['Beacon', 'Fetched', 'page'])
    const posted = await collector.posted('/v1/track', 2)
    expect(posted.map(({ headers }) => headers.authorization)).toEqual([OF_THE_SITE, OF_THE_SITE])
  })
})

/** A web server that asks all visitors for a password, and hands what is below `/analytics` on with it. */
function behindPassword(pages: RequestListener, collectorUrl: string): RequestListener {
  const toCollector = frontOf(() => new URL(collectorUrl).origin, '203.0.113.7', 'http')
  return (req, res) => {
    if (req.headers.authorization === undefined) {
      res.writeHead(401, { 'WWW-Authenticate': 'Basic realm="shop"' }).end()
    } else if (req.url?.startsWith('/analytics/')) {
      toCollector(req, res)
    } else {
      pages(req, res)
    }
  }
}
