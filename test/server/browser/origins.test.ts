import { expect, it } from '@jest/globals'
import { startCollector, WEB_KEY } from './collector.js'
import { startSite } from './site.js'
import { visitor, whereThereIsABrowser } from './visitor.js'

const EVENT = JSON.stringify({ event: 'Bought', anonymousId: 'a1', writeKey: WEB_KEY })

whereThereIsABrowser('origins', () => {
  const { open } = visitor()

  const send = async (from: string, to: string) =>
    (await open(from)).evaluate(
      `fetch('${to}/v1/track', { method: 'POST', body: '${EVENT}' }).then(
        async (res) => [res.status, (await res.json()).code],
        (error) => error.name,
      )`,
    )

  it('that a source allows deliver; others are told that they may not', async () => {
    const { url } = await startSite()
    const allowed = url.replace('127.0.0.1', 'localhost')
    const collector = await startCollector({
      source: { origins: [allowed] },
      // Without it no page of the other origin could read any answer.
      otherSources: [{ id: 'src_all', name: 'All', writeKey: 'other-key', origins: '*' }],
    })
    expect(await send(url, collector.url)).toEqual([403, 'origin_not_allowed'])
    expect(await send(allowed, collector.url)).toEqual([200, undefined])
    const records = await collector.records(1)
    expect(records).toMatchObject([{ event: 'Bought', projectId: 'src_web' }])
    expect(collector.requests.all.map(({ headers }) => headers.origin)).toEqual([url, allowed])
  })

  it('that no source allows deliver nothing, and read nothing', async () => {
    const { url } = await startSite()
    const allowed = url.replace('127.0.0.1', 'localhost')
    const collector = await startCollector({ source: { origins: [allowed] } })
    expect(await send(url, collector.url)).toBe('TypeError')
    const [refused] = await collector.posted('/v1/track')
    expect(refused?.status).toBe(403)
    expect(await send(allowed, collector.url)).toEqual([200, undefined])
    expect(await collector.records(1)).toHaveLength(1)
  })
})
