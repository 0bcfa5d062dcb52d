import { describe, expect, it } from '@jest/globals'
import { failure } from './fake-destination.js'
import { listen, proxyHarness, WEB_KEY } from './proxy-harness.js'

const GIF = 'GIF89a\x01\x00\x01\x00'

/** Its base64 has a plus sign, a slash and padding. */
const event = { writeKey: WEB_KEY, userId: 'u>?1', event: 'Opened', properties: { text: 'ÿþ~~~ÿ??' } }

async function ask(query: string, { method = 'GET', type = 'track' } = {}) {
  const harness = proxyHarness()
  const res = await fetch(`${await listen(harness.proxy)}/v1/pixel/${type}${query}`, {
    method,
    headers: { 'user-agent': 'Mail' },
  })
  return { ...harness, res, image: Buffer.from(await res.arrayBuffer()).toString('latin1') }
}

const escapedTimes = (times: number) =>
  Array.from({ length: times }).reduce<string>(encodeURIComponent, encoded(event))

const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64')

describe('a pixel', () => {
  it.each([
    ['base64 of URLs', Buffer.from(JSON.stringify(event)).toString('base64url')],
    ['base64, escaped', encodeURIComponent(encoded(event))],
    ['base64 as it is, its plus signs like spaces', encoded(event)],
    ['base64, escaped twice', encodeURIComponent(encodeURIComponent(encoded(event)))],
    [
      'base64, escaped twice in lower case',
      escapedTimes(2).replace(/%25[\dA-F]{2}/g, (it) => it.toLowerCase()),
    ],
    ['base64, escaped four times', escapedTimes(4)],
  ])('delivers the event in its URL: %s', async (_name, data) => {
    const { res, image, web } = await ask(`?data=${data}`)
    expect([res.status, res.headers.get('content-type')]).toEqual([200, 'image/gif'])
    expect(res.headers.get('cache-control')).toContain('no-store')
    expect(image.slice(0, GIF.length)).toBe(GIF)
    const { writeKey: _key, ...rest } = event
    expect(web.delivered).toMatchObject([
      { ...rest, type: 'track', channel: 'client', context: { ip: '127.0.0.1', userAgent: 'Mail' } },
    ])
    expect(web.delivered[0]).not.toHaveProperty('writeKey')
  })

  it('takes its type from the path', async () => {
    const { web } = await ask(`?data=${encoded({ writeKey: WEB_KEY, userId: 'u1' })}`, { type: 'p' })
    expect(web.delivered).toMatchObject([{ type: 'page', userId: 'u1' }])
  })

  it('delivers nothing for HEAD', async () => {
    const { res, web } = await ask(`?data=${encoded(event)}`, { method: 'HEAD' })
    expect([res.status, res.headers.get('content-type')]).toEqual([200, 'image/gif'])
    expect(web.calls).toEqual([])
  })

  it.each<[string, string, number]>([
    ['no data', '', 400],
    ['empty data', '?data=', 400],
    ['what is no JSON', '?data=%%%', 400],
    ['a list', `?data=${encoded([])}`, 400],
    ['no write key', `?data=${encoded({ userId: 'u1', event: 'E' })}`, 401],
    ['an unknown write key', `?data=${encoded({ ...event, writeKey: 'nope' })}`, 401],
    ['no identity', `?data=${encoded({ writeKey: WEB_KEY, event: 'E' })}`, 400],
  ])('is an image whatever it is asked with: %s', async (_name, query, status) => {
    const { res, image, web, proxy } = await ask(query)
    expect([res.status, res.headers.get('content-type')]).toEqual([status, 'image/gif'])
    expect(image.slice(0, GIF.length)).toBe(GIF)
    expect(web.calls).toEqual([])
    expect(proxy.stats().requests.refused).toBe(1)
  })

  it('is an image where the event is not durable, and no 200', async () => {
    const { proxy, web } = proxyHarness()
    web.outcome = () => failure('ERR_DELIVERY_TIMEOUT')
    const res = await fetch(`${await listen(proxy)}/v1/pixel/track?data=${encoded(event)}`)
    expect([res.status, res.headers.get('content-type')]).toEqual([503, 'image/gif'])
    expect(res.headers.get('retry-after')).toMatch(/^\d+$/)
  })

  it('takes GET and HEAD only', async () => {
    const { res } = await ask('', { method: 'POST' })
    expect([res.status, res.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
  })
})
