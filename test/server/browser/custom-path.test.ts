import { expect, it } from '@jest/globals'
import { startCollector } from './collector.js'
import { startSite } from './site.js'
import { visitor, whereThereIsABrowser } from './visitor.js'

const CUSTOM_PATH = '/e7'

/** What lists of blockers look for. */
const TELLING = /analytics|segment|track|pixel|collect|event|snippet|settings\.js|\/v1\//i

whereThereIsABrowser('under the custom path', () => {
  const { open } = visitor()

  it('analytics.js delivers, and no path tells what it is', async () => {
    const collector = await startCollector({ config: { customPath: CUSTOM_PATH } })
    const snippet = await collector.snippet()
    const before = collector.requests.all.length
    const site = await startSite(snippet)
    const page = await open(`${site.url}/shop?ajs_event=Came`)
    await page.waitForFunction('analytics.initialized')
    await page.evaluate("analytics.trackLink(document.querySelector('#link'), 'Followed')")
    await page.click('#link')
    await page.waitForURL('**/next')
    const records = await collector.records(4)
    expect(records.map(({ type, event }) => event ?? type).sort()).toEqual([
      'Came',
      'Followed',
      'page',
      'page',
    ])
    const paths = collector.requests.all.slice(before).map(({ path }) => path)
    expect(paths.filter((path) => !path.startsWith(`${CUSTOM_PATH}/`))).toEqual([])
    expect(paths.filter((path) => TELLING.test(path))).toEqual([])
  })
})
