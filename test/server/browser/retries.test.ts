import { expect, it } from '@jest/globals'
import { startCollector } from './collector.js'
import { startSite } from './site.js'
import { visitor, whereThereIsABrowser } from './visitor.js'

whereThereIsABrowser('analytics.js sends again', () => {
  const { open } = visitor()

  it('what is answered 503, until it is delivered', async () => {
    const collector = await startCollector({
      aws: { faults: [{ kind: 'throttle', action: 'PutRecordBatch' }] },
      destination: { deliveryTimeout: 500 },
    })
    const site = await startSite(await collector.snippet())
    await open(`${site.url}/shop`)
    const [refused] = await collector.posted('/v1/p')
    expect(refused).toMatchObject({ status: 503, answer: { 'retry-after': expect.stringMatching(/^\d+$/) } })
    collector.aws.clearFaults()
    expect(await collector.records(1)).toMatchObject([{ type: 'page', projectId: 'src_web' }])
    // The stream's own pause may last beyond the first retry.
    await collector.requests.until(1, ({ method, status }) => method === 'POST' && status === 200)
    const requests = await collector.posted('/v1/p', 2)
    expect(requests.map(({ status }) => status)).toEqual([...requests.slice(1).map(() => 503), 200])
    expect(requests.map(({ headers }) => Number(headers['x-retry-count'] ?? 0))).toEqual([...requests.keys()])
  })

  it('what is answered 429, when Retry-After is over', async () => {
    const collector = await startCollector({ source: { rateLimit: { limit: 1, windowMs: 2_000 } } })
    const site = await startSite(await collector.snippet())
    const page = await open(`${site.url}/shop`)
    await collector.posted('/v1/p')
    await page.evaluate("analytics.track('Bought')")
    const [refused, delivered] = await collector.posted('/v1/t', 2)
    expect([refused?.status, delivered?.status]).toEqual([429, 200])
    const waited = (delivered?.cameAt ?? 0) - (refused?.answeredAt ?? 0)
    // On its own it would come back within a second.
    expect(waited).toBeGreaterThan(Number(refused?.answer['retry-after']) * 1_000 - 10)
    const records = await collector.records(2)
    expect(records.map(({ type }) => type)).toEqual(['page', 'track'])
  })

  it('what was delivered though the answer got lost, and it is not delivered again', async () => {
    let isLost = false
    const collector = await startCollector({
      before: (req, res) => {
        if (isLost || req.method !== 'POST') return
        isLost = true
        res.end = () => res.destroy()
      },
    })
    const site = await startSite(await collector.snippet())
    await open(`${site.url}/shop`)
    const requests = await collector.posted('/v1/p', 2)
    expect(requests.map(({ status }) => status)).toEqual([200, 200])
    expect(await collector.records(1)).toMatchObject([{ type: 'page' }])
    expect(collector.proxy.stats()).toMatchObject({
      requests: { accepted: expect.any(Number) },
      sources: { Website: { delivered: 1, duplicates: 1 } },
    })
  })
})
