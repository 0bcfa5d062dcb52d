import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { expect, it } from '@jest/globals'
import express from 'express'
import { listen } from '../proxy-harness.js'
import { type CollectorOptions, startCollector, WEB_KEY } from './collector.js'
import { pagesOf } from './site.js'
import { visitor, whereThereIsABrowser } from './visitor.js'

const SDK_PATH = '/rudderstack.js'

whereThereIsABrowser("RudderStack's JavaScript SDK on a page of another origin", () => {
  const { open } = visitor()

  it.each<[string, CollectorOptions['hosting'], object, string]>([
    ['by requests of its own', 'serve', {}, '/v1/track'],
    ['in batches', 'serve', { queueOptions: { batch: { enabled: true, maxItems: 2 } } }, '/v1/batch'],
    ['by beacons', 'serve', { useBeacon: true, beaconQueueOptions: { maxItems: 2 } }, '/beacon/v1/batch'],
    [
      'by beacons, to a middleware',
      'mounted in an Express app',
      { useBeacon: true, beaconQueueOptions: { maxItems: 2 } },
      '/beacon/v1/batch',
    ],
  ])('loads its configuration and delivers %s', async (_name, hosting, options, path) => {
    const collector = await startCollector({ ...(hosting && { hosting }) })
    const loading = { configUrl: collector.url, ...options }
    const head = `<script src="${SDK_PATH}"></script>
      <script>
        const { RudderAnalytics } = rudderanalytics
        window.client = new RudderAnalytics()
        client.load('${WEB_KEY}', '${collector.url}', ${JSON.stringify(loading)})
        client.page()
        client.track('Bought', { price: 3 })
      </script>`
    const page = await open(`${await listen(site(head))}/shop`)
    const records = await collector.records(2)
    expect(records.map(({ type, event, channel }) => [type, event, channel]).sort()).toEqual([
      ['page', undefined, 'web'],
      ['track', 'Bought', 'web'],
    ])
    const userAgent = await page.evaluate('navigator.userAgent')
    for (const record of records) {
      expect(record).toMatchObject({
        anonymousId: expect.stringMatching(/^[\da-f-]{36}$/),
        messageId: expect.stringMatching(/^[\da-f-]{36}$/),
        projectId: 'src_web',
        context: { ip: '127.0.0.1', userAgent, library: { name: 'RudderLabs JavaScript SDK' } },
      })
      expect(JSON.stringify(record)).not.toContain(WEB_KEY)
    }
    const answered = collector.requests.all.filter(({ status }) => status !== 204)
    expect(answered.map(({ status }) => status)).toEqual(answered.map(() => 200))
    const paths = answered.map((it) => it.path.replace(/\?.*/, ''))
    const mount = hosting === 'serve' ? '' : '/analytics'
    expect(paths).toEqual(expect.arrayContaining([`${mount}/sourceConfig/`, `${mount}${path}`]))
  })
})

/** A site that has the SDK with all of its plugins, which it would else load from RudderStack's hosts. */
function site(head: string) {
  const require = createRequire(import.meta.url)
  const bundled = require.resolve('@rudderstack/analytics-js/bundled')
  const script = readFileSync(join(dirname(bundled), '../umd/index.js'))
  return express()
    .get(SDK_PATH, (_req, res) => void res.type('text/javascript').send(script))
    .use(pagesOf({ head }))
}
