import { expect, it } from '@jest/globals'
import type { Page } from 'playwright-core'
import type { SourceConfig } from '../../../server/index.js'
import { startCollector } from './collector.js'
import { startSite } from './site.js'
import { visitor, whereThereIsABrowser } from './visitor.js'

/** So much that nothing goes before the page does. */
const browser: SourceConfig['browser'] = {
  deliveryStrategy: { strategy: 'batching', config: { size: 10, timeout: 60_000 } },
}

whereThereIsABrowser('batches of analytics.js', () => {
  const { open } = visitor()

  it.each<[string, (page: Page) => Promise<unknown>]>([
    ['a page that is left', (page) => page.goto('about:blank')],
    ['a page that is closed', (page) => page.close()],
  ])('go in one request from %s', async (_name, leave) => {
    const collector = await startCollector({ source: { browser } })
    const site = await startSite(await collector.snippet())
    const page = await open(`${site.url}/shop`)
    await page.waitForFunction('analytics.initialized')
    await page.evaluate(
      "Promise.all([analytics.track('One'), analytics.track('Two'), analytics.identify('u1')])",
    )
    expect(collector.requests.all.filter(({ method }) => method === 'POST')).toEqual([])
    await leave(page)
    const [batch] = await collector.posted('/v1/b')
    expect(batch).toMatchObject({ status: 200, headers: { origin: site.url } })
    const records = await collector.records(4)
    expect(records.map(({ type, event }) => event ?? type).sort()).toEqual(['One', 'Two', 'identify', 'page'])
    expect(collector.requests.all.filter(({ method }) => method === 'POST')).toHaveLength(1)
  })
})
