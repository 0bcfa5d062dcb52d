import { expect, it } from '@jest/globals'
import { basic } from '../proxy-harness.js'
import { startCollector, WEB_KEY } from './collector.js'
import { startSite } from './site.js'
import { visitor, whereThereIsABrowser } from './visitor.js'

/** What pages send without any library. */
const EVENT = { event: 'Bought', anonymousId: 'a1', messageId: 'm1' }
const WITH_KEY = JSON.stringify({ ...EVENT, writeKey: WEB_KEY })

whereThereIsABrowser('pages of another origin, without a library,', () => {
  const { open } = visitor()

  it.each<[string, string, readonly string[]]>([
    [
      'fetch of text, with the key in the body',
      `fetch(url, { method: 'POST', keepalive: true, body: '${WITH_KEY}' })`,
      ['POST'],
    ],
    [
      'fetch of JSON, with the key in HTTP Basic',
      `fetch(url, {
        method: 'POST',
        keepalive: true,
        headers: { authorization: '${basic(WEB_KEY)}', 'content-type': 'application/json' },
        body: '${JSON.stringify(EVENT)}',
      })`,
      ['OPTIONS', 'POST'],
    ],
  ])('deliver by %s', async (_name, send, methods) => {
    const collector = await startCollector({ hosting: 'mounted in an Express app' })
    const page = await open((await startSite()).url)
    const answer = await page.evaluate(
      `(async (url) => { const res = await ${send}; return [res.status, await res.json()] })('${collector.url}/v1/track')`,
    )
    expect(answer).toEqual([200, { success: true }])
    expect(collector.requests.all.map(({ method }) => method)).toEqual(methods)
    const userAgent = await page.evaluate('navigator.userAgent')
    expect(await collector.records(1)).toEqual([
      {
        ...EVENT,
        type: 'track',
        channel: 'client',
        version: 2,
        projectId: 'src_web',
        context: { ip: '127.0.0.1', userAgent },
        timestamp: expect.any(String),
        originalTimestamp: expect.any(String),
        receivedAt: expect.any(String),
      },
    ])
  })

  it.each<[string, string, readonly string[]]>([
    ['text', `'${WITH_KEY}'`, ['POST']],
    ['JSON', `new Blob(['${WITH_KEY}'], { type: 'application/json' })`, ['OPTIONS', 'POST']],
  ])('deliver by sendBeacon of %s, when they are left', async (_name, body, methods) => {
    const collector = await startCollector()
    const page = await open((await startSite()).url)
    await page.evaluate(
      `addEventListener('pagehide', () => navigator.sendBeacon('${collector.url}/v1/track', ${body}))`,
    )
    await page.close()
    expect(await collector.records(1)).toMatchObject([{ ...EVENT, type: 'track', channel: 'client' }])
    const [sent] = await collector.posted('/v1/track')
    expect(sent?.status).toBe(200)
    expect(collector.requests.all.map(({ method }) => method)).toEqual(methods)
  })

  it('may send an event twice: it is delivered once', async () => {
    const collector = await startCollector()
    const page = await open((await startSite()).url)
    const other = JSON.stringify({ ...EVENT, messageId: 'm2', writeKey: WEB_KEY })
    const statuses = await page.evaluate(
      `(async (url) => {
        const statuses = []
        for (const body of ['${WITH_KEY}', '${WITH_KEY}', '${other}']) {
          statuses.push((await fetch(url, { method: 'POST', body })).status)
        }
        return statuses
      })('${collector.url}/v1/track')`,
    )
    expect(statuses).toEqual([200, 200, 200])
    expect((await collector.records(2)).map(({ messageId }) => messageId)).toEqual(['m1', 'm2'])
  })

  it('can read how long to wait', async () => {
    const source = { rateLimit: { limit: 1, windowMs: 60_000 } }
    const collector = await startCollector({ source })
    const page = await open((await startSite()).url)
    const answers = await page.evaluate(
      `(async (url) => {
        const send = async () => {
          const res = await fetch(url, { method: 'POST', body: '${WITH_KEY}' })
          const headers = ['retry-after', 'ratelimit', 'ratelimit-policy', 'x-request-id']
          return [res.status, ...headers.map((name) => res.headers.get(name) !== null)]
        }
        return [await send(), await send()]
      })('${collector.url}/v1/track')`,
    )
    expect(answers).toEqual([
      [200, false, true, true, true],
      [429, true, true, true, true],
    ])
  })
})
