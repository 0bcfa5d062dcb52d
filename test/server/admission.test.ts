import { connect } from 'node:net'
import { describe, expect, it } from '@jest/globals'
import { RateLimit } from '../../server/http/rate-limit.js'
import type { RequestEntry } from '../../server/http/request-entry.js'
import { FakeClock } from '../fake-clock.js'
import { APP_KEY, basic, listen, proxyHarness, WEB_KEY } from './proxy-harness.js'

const event = { type: 'track', event: 'E', userId: 'u1' }

const post = (url: string, writeKey: string, { isBasic = true } = {}) =>
  fetch(`${url}/v1/batch`, {
    method: 'POST',
    headers: isBasic ? { authorization: basic(writeKey) } : {},
    body: JSON.stringify({ ...(isBasic ? {} : { writeKey }), batch: [event] }),
  })

/** Sends the headers of a request and no body; gives the answer's first line. */
function headersOnly(url: string): Promise<string> {
  const { port } = new URL(url)
  const socket = connect(Number(port), '127.0.0.1')
  socket.write(
    `POST /v1/batch HTTP/1.1\r\nHost: x\r\nAuthorization: ${basic(WEB_KEY)}\r\nContent-Length: 1000\r\n\r\n`,
  )
  return new Promise((resolve) =>
    socket.once('data', (data) => {
      socket.destroy()
      resolve(String(data).split('\r\n', 1)[0] ?? '')
    }),
  )
}

describe('a source that is switched off', () => {
  it.each([true, false])('takes nothing, wherever its key is: Basic %s', async (isBasic) => {
    const { proxy, web } = proxyHarness({ source: { enabled: false } })
    const url = await listen(proxy)
    const res = await post(url, WEB_KEY, { isBasic })
    expect([res.status, await res.json()]).toMatchObject([401, { code: 'source_disabled' }])
    expect((await fetch(`${url}/v1/projects/${WEB_KEY}/settings`)).status).toBe(401)
    expect((await post(url, APP_KEY)).status).toBe(200)
    expect(web.calls).toEqual([])
  })

  it('does not hold up the events of other sources in a batch', async () => {
    const { proxy, web, app, letters } = proxyHarness({ source: { enabled: false, ip: 'drop' } })
    const context = { ip: '203.0.113.9', locale: 'de' }
    const batch = [
      { ...event, writeKey: WEB_KEY, messageId: 'off', context },
      { ...event, writeKey: APP_KEY, messageId: 'on' },
    ]
    const res = await fetch(`${await listen(proxy)}/v1/batch`, {
      method: 'POST',
      body: JSON.stringify({ batch }),
    })
    expect(res.status).toBe(200)
    expect([web.delivered, app.delivered]).toMatchObject([[], [{ messageId: 'on' }]])
    expect(letters).toMatchObject([
      { messageId: 'off', reason: "The event's source is switched off", data: { context: { locale: 'de' } } },
    ])
    expect(JSON.stringify(letters)).not.toContain('203.0.113')
  })
})

describe('a rate limit', () => {
  it.each([true, false])('answers 429 beyond it, for that source alone: Basic %s', async (isBasic) => {
    const clock = new FakeClock()
    const rateLimit = new RateLimit({ limit: 2, windowMs: 2_500 }, clock)
    const { proxy, web, lines } = proxyHarness({ source: { rateLimit } })
    const url = await listen(proxy)
    const send = () => post(url, WEB_KEY, { isBasic })
    const answers = [await send(), await send(), await send()]
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429])
    expect(answers.map(({ headers }) => headers.get('ratelimit'))).toEqual([
      'limit=2, remaining=1, reset=3',
      'limit=2, remaining=0, reset=3',
      'limit=2, remaining=0, reset=3',
    ])
    expect(answers[2]?.headers.get('retry-after')).toBe('3')
    expect(await answers[2]?.json()).toMatchObject({ code: 'rate_limited' })
    expect((await post(url, APP_KEY)).status).toBe(200)
    await clock.advance(2_500)
    expect((await send()).status).toBe(200)
    expect(web.delivered).toHaveLength(3)
    expect(proxy.stats().requests).toEqual({ accepted: 4, refused: 0, deferred: 1 })
    expect(proxy.stats().requestsByStatus).toEqual({ 200: 4, 429: 1 })
    expect(lines).toEqual([
      expect.stringMatching(/^Turned away 1 request\(s\) of Website with 429 rate_limited: .*rateLimit/),
    ])
  })

  it('answers 429 to a batch that has more events than are left, and delivers none of it', async () => {
    const clock = new FakeClock()
    const eventRateLimit = new RateLimit({ limit: 5, windowMs: 2_500, unit: 'events' }, clock)
    const { proxy, web, letters, lines } = proxyHarness({ source: { eventRateLimit } })
    const url = await listen(proxy)
    const send = (events: readonly object[]) =>
      fetch(`${url}/v1/batch`, {
        method: 'POST',
        headers: { authorization: basic(WEB_KEY) },
        body: JSON.stringify({ batch: events }),
      })
    // An invalid one costs as much as any.
    const first = await send([event, event, { type: 'nothing' }])
    expect([first.status, first.headers.get('ratelimit')]).toEqual([200, 'limit=5, remaining=2, reset=3'])
    expect(first.headers.get('ratelimit-policy')).toBe('5;w=3;unit="events"')
    const over = await send([event, event, { type: 'nothing' }])
    expect([over.status, over.headers.get('retry-after')]).toEqual([429, '3'])
    expect(over.headers.get('ratelimit')).toBe('limit=5, remaining=2, reset=3')
    expect(await over.json()).toMatchObject({
      code: 'rate_limited',
      message: expect.stringMatching('events'),
    })
    expect([web.delivered.length, letters.length]).toEqual([2, 1])
    expect((await send([event, event])).status).toBe(200)
    expect((await post(url, APP_KEY)).status).toBe(200)
    await clock.advance(2_500)
    expect((await send(Array.from({ length: 20 }, () => event))).status).toBe(200)
    expect((await send([event])).headers.get('retry-after')).toBe('10')
    expect(lines).toContainEqual(
      expect.stringMatching(/^Turned away 1 request\(s\) of Website with 429 rate_limited: .*rateLimit/),
    )
  })

  it('of events is asked beside that of requests, and answers tell of the one of which less is left', async () => {
    const clock = new FakeClock()
    const rateLimit = new RateLimit({ limit: 3, windowMs: 1_000 }, clock)
    const eventRateLimit = new RateLimit({ limit: 2, windowMs: 1_000, unit: 'events' }, clock)
    const { proxy } = proxyHarness({ source: { rateLimit, eventRateLimit } })
    const url = await listen(proxy)
    const answers = []
    for (let i = 0; i < 4; i++) answers.push(await post(url, WEB_KEY))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429, 429])
    expect(answers.map(({ headers }) => headers.get('ratelimit'))).toEqual([
      'limit=2, remaining=1, reset=1',
      'limit=2, remaining=0, reset=1',
      'limit=2, remaining=0, reset=1',
      'limit=3, remaining=0, reset=1',
    ])
    expect(answers[0]?.headers.get('ratelimit-policy')).toBe('3;w=1, 2;w=1;unit="events"')
  })

  it('charges the sources of a batch together or none of them', async () => {
    const limit = new RateLimit({ limit: 3, windowMs: 1_000, unit: 'events' }, new FakeClock())
    const { proxy, web, app } = proxyHarness({ source: { eventRateLimit: limit } })
    const url = await listen(proxy)
    const send = (keys: readonly string[]) =>
      fetch(`${url}/v1/batch`, {
        method: 'POST',
        body: JSON.stringify({ batch: keys.map((writeKey) => ({ ...event, writeKey })) }),
      })
    limit.take(2)
    expect((await send([APP_KEY, WEB_KEY, WEB_KEY])).status).toBe(429)
    expect([web.calls, app.calls, limit.state.remaining]).toEqual([[], [], 1])
    expect((await send([APP_KEY, APP_KEY, WEB_KEY])).status).toBe(200)
    expect([web.delivered.length, app.delivered.length, limit.state.remaining]).toEqual([1, 2, 0])
  })

  it('counts for the source that the body names, whatever user HTTP Basic has', async () => {
    const rateLimit = new RateLimit({ limit: 1, windowMs: 60_000 }, new FakeClock())
    const { proxy, web } = proxyHarness({ source: { rateLimit } })
    const url = await listen(proxy)
    const send = (body: object) =>
      fetch(`${url}/v1/batch`, {
        method: 'POST',
        headers: { authorization: basic('visitor') },
        body: JSON.stringify(body),
      })
    const ofBody = { writeKey: WEB_KEY, batch: [event] }
    const ofEvents = { batch: [{ ...event, writeKey: WEB_KEY }] }
    const answers = [await send(ofBody), await send(ofBody), await send(ofEvents)]
    expect(answers.map(({ status }) => status)).toEqual([200, 429, 429])
    expect((await send({ writeKey: APP_KEY, batch: [event] })).status).toBe(200)
    expect(web.delivered).toHaveLength(1)
  })

  it('is told to onRequest, by the code of the answer', async () => {
    const entries: RequestEntry[] = []
    const rateLimit = new RateLimit({ limit: 1, windowMs: 2_500 }, new FakeClock())
    const { proxy } = proxyHarness({ source: { rateLimit }, onRequest: (entry) => void entries.push(entry) })
    const url = await listen(proxy)
    for (let i = 0; i < 2; i++) await post(url, WEB_KEY)
    expect(entries).toMatchObject([
      { status: 200, code: undefined, source: 'Website', events: 1 },
      { status: 429, code: 'rate_limited', source: 'Website', events: 0 },
    ])
  })
})

describe('a source of which every stream is parked', () => {
  it('is answered 503 before the body is read where the key is known by then', async () => {
    const { proxy, web } = proxyHarness()
    const url = await listen(proxy)
    web.parked = true
    expect(await headersOnly(url)).toBe('HTTP/1.1 503 Service Unavailable')
    const res = await post(url, WEB_KEY, { isBasic: false })
    expect([res.status, res.headers.get('retry-after')]).toEqual([503, '5'])
    expect((await post(url, APP_KEY)).status).toBe(200)
    expect(web.calls).toEqual([])
  })
})

describe('a batch with keys of several sources', () => {
  const batch = [
    { ...event, writeKey: WEB_KEY, messageId: 'web' },
    { ...event, writeKey: APP_KEY, messageId: 'app' },
  ]
  const send = (url: string) => fetch(`${url}/v1/batch`, { method: 'POST', body: JSON.stringify({ batch }) })

  it('is delivered as far as streams take records', async () => {
    const { proxy, web, app } = proxyHarness()
    const url = await listen(proxy)
    web.parked = true
    expect((await send(url)).status).toBe(200)
    app.parked = true
    expect((await send(url)).status).toBe(503)
    expect([web.calls, app.calls]).toEqual([['deliver'], ['deliver']])
  })
})

it('an empty batch is let in or not as any other', async () => {
  const { proxy } = proxyHarness({ source: { enabled: false } })
  const url = await listen(proxy)
  const send = (writeKey: string) =>
    fetch(`${url}/v1/batch`, { method: 'POST', body: JSON.stringify({ writeKey, batch: [] }) })
  expect([(await send(WEB_KEY)).status, (await send(APP_KEY)).status]).toEqual([401, 200])
})

it('a dead letter has its address as the policy of its source says', async () => {
  const { proxy, letters } = proxyHarness({ source: { ip: 'truncate' } })
  const context = { ip: '203.0.113.7', locale: 'de' }
  const batch = [{ type: 'nothing', userId: 'u1', context }]
  await fetch(`${await listen(proxy)}/v1/batch`, {
    method: 'POST',
    headers: { authorization: basic(WEB_KEY) },
    body: JSON.stringify({ batch }),
  })
  expect(letters).toMatchObject([{ data: { context: { ip: '203.0.113.0', locale: 'de' } } }])
})

describe('readiness', () => {
  it('tells of streams, memory and closing', async () => {
    const { proxy, web, app, budget } = proxyHarness()
    expect(proxy.readiness()).toEqual({
      ready: true,
      reason: undefined,
      sources: 2,
      parkedSources: 0,
      bufferedShare: 0,
    })
    web.parked = true
    expect(proxy.readiness()).toMatchObject({ ready: true, parkedSources: 1 })
    app.parked = true
    expect(proxy.readiness()).toMatchObject({ ready: false, reason: 'all_streams_parked' })
    app.parked = false
    const usualRequest = 1024 * 1024
    budget.take(budget.capacity - usualRequest)
    expect(proxy.readiness()).toMatchObject({ ready: true })
    budget.take(1)
    expect(proxy.readiness()).toMatchObject({ ready: false, reason: 'memory_full' })
    expect(proxy.readiness().bufferedShare).toBeCloseTo(63 / 64)
    await proxy.close()
    expect(proxy.readiness()).toMatchObject({ ready: false, reason: 'closing' })
  })
})
