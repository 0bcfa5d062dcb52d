import { describe, expect, it } from '@jest/globals'
import { APP_KEY, basic, listen, proxyHarness, WEB_KEY } from '../proxy-harness.js'
import { MESSAGE_IDS } from './sdk-fixture.js'
import { send } from './wire.js'

const BATCH = {
  sentAt: '2026-01-02T03:04:05.678Z',
  batch: [
    {
      messageId: MESSAGE_IDS[0],
      channel: 'mobile',
      context: { library: { name: 'com.rudderstack.android.sdk.core', version: '1.27.3' } },
      originalTimestamp: '2026-01-02T03:04:00.678Z',
      anonymousId: MESSAGE_IDS[5],
      type: 'track',
      event: 'Signed Up',
      properties: { plan: 'free' },
      integrations: { All: true },
    },
  ],
}

/** The header by which RudderStack keeps the events of a visitor in order: base64, or plain in Swift. */
const ANONYMOUS_ID = Buffer.from(MESSAGE_IDS[5]).toString('base64')

describe("RudderStack's SDKs for phones", () => {
  it.each<[string, string, boolean, 'length' | 'chunked']>([
    ['Android', ANONYMOUS_ID, true, 'length'],
    ['iOS', ANONYMOUS_ID, false, 'length'],
    ['Kotlin', ANONYMOUS_ID, true, 'chunked'],
    ['Swift', MESSAGE_IDS[5], true, 'length'],
  ])('have their events delivered: %s', async (_sdk, anonymousId, gzip, framing) => {
    const { proxy, web, letters } = proxyHarness()
    const answer = await send(await listen(proxy), {
      path: '/v1/batch',
      headers: [
        ['Authorization', basic(WEB_KEY)],
        ['Content-Type', 'application/json'],
        ['AnonymousId', anonymousId],
        ...(gzip ? ([['Content-Encoding', 'gzip']] as const) : []),
      ],
      body: JSON.stringify(BATCH),
      gzip,
      framing,
    })
    expect([answer.status, answer.body, letters]).toEqual([200, '{"success":true}', []])
    expect(web.delivered).toMatchObject([{ ...BATCH.batch[0], sentAt: BATCH.sentAt, channel: 'mobile' }])
  })

  it('are not identified by the header AnonymousId, as they are not by RudderStack', async () => {
    const { proxy, web } = proxyHarness()
    const res = await fetch(`${await listen(proxy)}/v1/track`, {
      method: 'POST',
      headers: { authorization: basic(WEB_KEY), anonymousid: ANONYMOUS_ID },
      body: JSON.stringify({ event: 'E' }),
    })
    expect([res.status, web.calls]).toEqual([400, []])
  })

  it.each([
    ['Android', '/sourceConfig?p=android&v=1.27.3&bv=35', basic(WEB_KEY)],
    ['iOS', '/sourceConfig?p=ios&v=1.31.0', basic(WEB_KEY)],
    ['Kotlin', `/sourceConfig?p=android&v=1.5.0&writeKey=${WEB_KEY}&bv=35`, basic(WEB_KEY)],
    ['Swift', `/sourceConfig?p=ios&v=1.3.0&writeKey=${WEB_KEY}`, basic(WEB_KEY)],
    ['JavaScript', `/sourceConfig/?p=npm&v=3.34.1&build=modern&writeKey=${WEB_KEY}`, undefined],
    ['JavaScript, at a site behind HTTP Basic', `/sourceConfig/?writeKey=${WEB_KEY}`, basic('visitor')],
  ])('load a configuration that each of them can read: %s', async (_sdk, path, authorization) => {
    const { proxy } = proxyHarness()
    const headers = authorization === undefined ? {} : { authorization }
    const res = await fetch((await listen(proxy)) + path, { headers })
    expect([res.status, res.headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8'])
    expect(res.headers.get('cache-control')).toMatch(/^private, max-age=/)
    expect(res.headers.get('vary')).toContain('Authorization')
    const off = { enabled: false }
    const text = await res.text()
    expect(JSON.parse(text)).toEqual({
      source: {
        id: expect.any(String),
        name: expect.any(String),
        writeKey: WEB_KEY,
        enabled: true,
        workspaceId: expect.any(String),
        updatedAt: expect.any(String),
        config: { statsCollection: { errors: off, metrics: off } },
        destinations: [],
      },
    })
    // The source's ID is the external ID of its role.
    expect(text).not.toContain('src_web')
  })

  it('look whether a blocker is there with a HEAD', async () => {
    const { proxy } = proxyHarness()
    const url = `${await listen(proxy)}/sourceConfig/?view=ad`
    const res = await fetch(url, { method: 'HEAD', headers: { authorization: basic(WEB_KEY) } })
    expect([res.status, await res.text()]).toEqual([200, ''])
  })

  it('get no configuration without a known write key, or for a source that is switched off', async () => {
    const { proxy } = proxyHarness({ source: { enabled: false } })
    const url = `${await listen(proxy)}/sourceConfig`
    const ask = async (query: string, headers: Record<string, string> = {}) => {
      const res = await fetch(url + query, { headers })
      return [res.status, ((await res.json()) as { code?: string }).code]
    }
    expect(await ask('')).toEqual([401, 'invalid_write_key'])
    expect(await ask('?writeKey=nope', { authorization: basic('neither') })).toEqual([
      401,
      'invalid_write_key',
    ])
    expect(await ask(`?writeKey=${WEB_KEY}`)).toEqual([401, 'source_disabled'])
    expect(await ask(`?writeKey=${APP_KEY}`)).toEqual([200, undefined])
    expect((await fetch(`${url}?writeKey=${APP_KEY}`, { method: 'POST' })).status).toBe(405)
  })
})

describe('a beacon of RudderStack', () => {
  const beacon = (url: string, query: string, body: object = BATCH, headers: Record<string, string> = {}) =>
    fetch(`${url}/beacon/v1/batch${query}`, { method: 'POST', headers, body: JSON.stringify(body) })

  it('has its write key in the URL', async () => {
    const { proxy, web } = proxyHarness()
    const res = await beacon(await listen(proxy), `?writeKey=${encodeURIComponent(WEB_KEY)}`)
    expect([res.status, await res.json()]).toEqual([200, { success: true }])
    expect(web.delivered).toMatchObject(BATCH.batch)
  })

  it('may have it in the body, where the URL names no source, and beside credentials of the site', async () => {
    const { proxy, web } = proxyHarness()
    const url = await listen(proxy)
    const body = { ...BATCH, writeKey: WEB_KEY }
    const answers = [
      await beacon(url, '', body),
      await beacon(url, '?writeKey=nope', body),
      await beacon(url, `?writeKey=${WEB_KEY}`, BATCH, { authorization: basic('visitor') }),
    ]
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(web.delivered).toHaveLength(3)
  })

  it('is refused without a known key', async () => {
    const { proxy, web, app } = proxyHarness()
    const url = await listen(proxy)
    expect((await beacon(url, '')).status).toBe(401)
    expect((await beacon(url, '?writeKey=nope')).status).toBe(401)
    // In the URL of other endpoints a key does not count: there are safer places for it.
    const elsewhere = await fetch(`${url}/v1/batch?writeKey=${WEB_KEY}`, {
      method: 'POST',
      body: JSON.stringify(BATCH),
    })
    expect(elsewhere.status).toBe(401)
    expect([...web.calls, ...app.calls]).toEqual([])
  })
})
