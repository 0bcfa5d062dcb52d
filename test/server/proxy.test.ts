import { createHash } from 'node:crypto'
import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import express from 'express'
import request from 'supertest'
import { Endpoints, EVENT_TYPES } from '../../server/http/endpoint.js'
import { type FakeDestination, failure } from './fake-destination.js'
import {
  APP_KEY,
  basic,
  listen,
  NOW_ISO,
  plainSource,
  proxyHarness,
  siteOf,
  WEB_KEY,
} from './proxy-harness.js'

const track = { type: 'track', event: 'User Registered', userId: 'u1' }

/** A parser whose result something throws away. */
function forgetful(parser: express.RequestHandler): express.RequestHandler {
  return (req, res, next) => {
    parser(req, res, () => {
      req.body = undefined
      next()
    })
  }
}

describe('paths', () => {
  const shorts = ['t', 'p', 's', 'i', 'g', 'a']
  const singles = EVENT_TYPES.flatMap((type, i) => [
    [`/v1/${type}`, type],
    [`/v1/${shorts[i]}`, type],
    [`/v1/${type}/`, type],
    [`/v1/${type}?x=1`, type],
  ])

  it.each(singles)('takes one event at %s', async (path, type) => {
    const { proxy, web } = proxyHarness()
    const url = await listen(proxy)
    const res = await request(url)
      .post(path as string)
      .send({ event: 'E', userId: 'u1', writeKey: WEB_KEY })
    expect([res.status, res.text]).toEqual([200, '{"success":true}'])
    expect(web.delivered).toMatchObject([{ type, userId: 'u1' }])
  })

  it.each([
    '/v1/batch',
    '/v1/b',
    '/v1/import',
    '/v1/batch/',
    '/v1/b/',
    '/v1/import/',
    '/v1/batch?a=//v1/m',
    '//v1/import/',
    '/v1//batch//',
  ])('takes a batch at %s', async (path) => {
    const { proxy, web } = proxyHarness()
    const res = await request(await listen(proxy))
      .post(path)
      .send({ writeKey: WEB_KEY, batch: [track, track] })
    expect([res.status, res.text]).toEqual([200, '{"success":true}'])
    expect(res.headers['content-type']).toBe('application/json; charset=utf-8')
    expect(web.delivered).toHaveLength(2)
  })

  it('takes telemetry of SDKs and discards it', async () => {
    const { proxy, web } = proxyHarness()
    const res = await request(await listen(proxy))
      .post('/v1/m')
      .send({ series: [] })
    expect([res.status, res.text]).toEqual([200, '{"success":true}'])
    expect(web.calls).toEqual([])
  })

  it.each([
    ['POST', '/v1', 404],
    ['POST', '/v1/nothing', 404],
    ['POST', '/v1/batch/x', 404],
    ['POST', '/v12/batch', 404],
    ['POST', '/', 404],
    ['POST', '//', 404],
    ['GET', '/v1/batch', 405],
    ['PUT', '/v1/track', 405],
    ['DELETE', '/v1/m', 405],
  ])('answers %s %s with %d, in JSON', async (method, path, status) => {
    const { proxy } = proxyHarness()
    const res = await fetch((await listen(proxy)) + path, { method })
    expect(res.status).toBe(status)
    expect(res.headers.get('allow')).toBe(status === 405 ? 'POST' : null)
    expect(await res.json()).toEqual({
      code: expect.any(String),
      message: expect.any(String),
      error: expect.any(String),
    })
  })

  it.each(['/v1/projects/web-write-key/settings', '/analytics.js/v1/web-write-key/analytics.min.js'])(
    'are read, not sent to, where browsers load from: %s',
    async (path) => {
      const { proxy } = proxyHarness()
      const res = await fetch((await listen(proxy)) + path, { method: 'POST' })
      expect([res.status, res.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
    },
  )

  it('count without /v1 too where no other handler can be meant', async () => {
    const { proxy, web } = proxyHarness()
    const url = await listen(proxy)
    for (const path of ['/b', '/batch', '/import', '//batch/']) {
      const res = await request(url)
        .post(path)
        .send({ writeKey: WEB_KEY, batch: [track] })
      expect([res.status, res.text]).toEqual([200, '{"success":true}'])
    }
    for (const path of ['/t', '/track']) {
      expect((await request(url).post(path).set('authorization', basic(WEB_KEY)).send(track)).status).toBe(
        200,
      )
    }
    expect((await request(url).get(`/projects/${WEB_KEY}/settings`)).status).toBe(200)
    expect((await request(url).post('/m').send({})).status).toBe(200)
    expect(web.delivered).toHaveLength(6)
  })

  it.each<[boolean | undefined, string]>([
    [undefined, "the app's own"],
    [false, "the app's own"],
    [true, '{"success":true}'],
  ])('without /v1 are left to the app around it, with unversionedPaths %s: %s', async (isSet, text) => {
    const { proxy } = proxyHarness({ more: { endpoints: new Endpoints(undefined, isSet) } })
    const app = express()
      .use(proxy)
      .use((_req, res) => void res.send("the app's own"))
    const body = { writeKey: WEB_KEY, batch: [track] }
    for (const path of ['/b', '/batch']) expect((await request(app).post(path).send(body)).text).toBe(text)
    expect((await request(app).post('/v1/b').send(body)).text).toBe('{"success":true}')
  })

  it('leaves to the next handler what is not under /v1', async () => {
    const { proxy } = proxyHarness()
    const url = await listen((req, res) => proxy(req, res, () => res.end('next')))
    expect(await (await fetch(`${url}/health`)).text()).toBe('next')
    expect((await fetch(`${url}/v1/nothing`)).status).toBe(404)
  })
})

describe('in Express', () => {
  it('works under a mount path', async () => {
    const { proxy, web } = proxyHarness()
    const app = express().use('/analytics', proxy)
    const res = await request(app)
      .post('/analytics/v1/batch')
      .send({ writeKey: WEB_KEY, batch: [track] })
    expect(res.status).toBe(200)
    expect(web.delivered).toHaveLength(1)
    expect((await request(app).post('/v1/batch').send({})).status).toBe(404)
  })

  it.each([
    ['json', express.json(), 'application/json'],
    ['text', express.text({ type: '*/*' }), 'text/plain'],
    ['raw', express.raw({ type: '*/*' }), 'text/plain'],
    ['json, which leaves text/plain unread', express.json(), 'text/plain'],
  ])('uses what a body parser left: %s', async (_name, parser, contentType) => {
    const { proxy, web } = proxyHarness()
    const app = express().use(parser).use('/a', proxy)
    const body = JSON.stringify({ writeKey: WEB_KEY, batch: [track] })
    const res = await request(app).post('/a/v1/batch').set('content-type', contentType).send(body)
    expect(res.status).toBe(200)
    expect(web.delivered).toHaveLength(1)
  })

  it("reads the body where Express 4's parsers left {} for what they do not read", async () => {
    const { proxy, web } = proxyHarness()
    const url = await listen((req, res) => proxy(Object.assign(req, { body: {} }), res))
    const body = JSON.stringify({ writeKey: WEB_KEY, batch: [track] })
    expect((await fetch(`${url}/v1/batch`, { method: 'POST', body })).status).toBe(200)
    expect(web.delivered).toHaveLength(1)
  })

  it.each<[string, express.RequestHandler, string]>([
    [
      'hashes it first',
      async (req, _res, next) => {
        const hash = createHash('sha256')
        for await (const chunk of req) hash.update(chunk)
        next()
      },
      'application/json',
    ],
    ['keeps what it has read for itself', forgetful(express.json()), 'application/json'],
    ['has its bytes and keeps them for itself', forgetful(express.raw({ type: '*/*' })), 'text/plain'],
    ['takes it for a form', express.urlencoded(), 'application/x-www-form-urlencoded'],
  ])('is not blamed on its sender where the host app %s', async (_what, before, contentType) => {
    const { proxy, lines, web } = proxyHarness()
    const url = await listen(express().use(before).use(proxy))
    const body = JSON.stringify({ writeKey: WEB_KEY, batch: [track] })
    for (let i = 0; i < 3; i++) {
      const headers = { 'content-type': contentType }
      const res = await fetch(`${url}/v1/batch`, { method: 'POST', headers, body })
      const answer = (await res.json()) as { code: string; message: string }
      expect([res.status, answer.code]).toEqual([500, 'body_consumed'])
      expect(answer.message).toMatch(/: mount it before the body parser$/)
    }
    expect(web.delivered).toEqual([])
    expect(lines).toEqual([
      expect.stringMatching(/^Turned away 1 request\(s\) with 500 body_consumed: .* before the body parser$/),
    ])
  })

  it('outlives a handler before it that answers and still calls the next', async () => {
    const { proxy, lines } = proxyHarness()
    const app = express()
      .use((_req, res, next) => {
        res.send('answered')
        next()
      })
      .use(proxy)
    const res = await request(await listen(app)).post('/v1/track')
    expect([res.status, res.text]).toEqual([200, 'answered'])
    expect(lines).toEqual([
      expect.stringMatching(/^Request id-1 failed: .*answered, and yet called the next/),
    ])
  })

  it('names every answer, and adds to what it varies by, whoever has set that before', async () => {
    const { proxy } = proxyHarness()
    const app = express()
      .use((_req, res, next) => {
        res.set('Vary', 'Cookie')
        next()
      })
      .use(proxy)
    for (const send of [await listen(app), await listen(proxy)].map((url) => request(url))) {
      for (const writeKey of [WEB_KEY, 'of-nobody']) {
        const { headers } = await send.post('/v1/track').send({ ...track, writeKey })
        expect(headers['x-request-id']).toMatch(/^id-\d+$/)
        expect(headers['vary']).toMatch(/^(Cookie, )?Origin$/)
      }
    }
    const { headers } = await request(await listen(app)).options('/v1/track')
    expect([headers['x-request-id'], headers['vary']]).toEqual([
      expect.stringMatching(/^id-\d+$/),
      'Cookie, Origin',
    ])
  })

  it('leaves req.body as it was', async () => {
    const { proxy } = proxyHarness()
    const event = { ...track, writeKey: WEB_KEY }
    const given = { writeKey: WEB_KEY, context: { ip: '1.2.3.4' }, batch: [event] }
    const before = structuredClone(given)
    const url = await listen((req, res) => {
      req.resume()
      proxy(Object.assign(req, { body: given }), res)
    })
    expect((await fetch(`${url}/v1/batch`, { method: 'POST', body: '{}' })).status).toBe(200)
    expect(given).toEqual(before)
  })
})

describe('mounted at the wrong place', () => {
  const APP_USE = /mount the middleware with app\.use\(path, proxy\), not with app\.post\(\)$/
  const HIGHER = /mount the middleware at the path before \/v1, and not below it$/
  type Mount = (app: express.Express, proxy: ReturnType<typeof proxyHarness>['proxy']) => unknown

  it.each<[string, Mount, string, RegExp]>([
    ['app.post() with a path', (app, proxy) => app.post('/a/v1/batch', proxy), '/a/v1/batch', APP_USE],
    ['app.all() with a pattern', (app, proxy) => app.all('/a/{*rest}', proxy), '/a/v1/track?x=1', APP_USE],
    [
      'a router that posts',
      (app, proxy) => app.use('/a', express.Router().post('/b/v1/b', proxy)),
      '/a/b/v1/b/',
      APP_USE,
    ],
    ['app.use() below /v1', (app, proxy) => app.use('/v1', proxy), '/v1/batch', HIGHER],
    ['app.use() below a path and /v1', (app, proxy) => app.use('/a/v1', proxy), '/a/v1/import', HIGHER],
    ['app.use() at an endpoint', (app, proxy) => app.use('/a/v1/t', proxy), '/a/v1/t', HIGHER],
  ])('by %s, it says so in its 404 and in the log', async (_how, mount, path, hint) => {
    const { proxy, lines } = proxyHarness()
    const app = express()
    mount(app, proxy)
    const res = await request(app).post(path).send({})
    expect([res.status, res.body.code]).toEqual([404, 'wrong_path'])
    expect(res.body.message).toMatch(hint)
    expect(lines).toEqual([expect.stringMatching(hint)])
  })

  it('within node:http, below another path, it says so in its 404 and in the log', async () => {
    const { proxy, lines } = proxyHarness()
    const res = await request(await listen(proxy))
      .post('/a/v1/batch')
      .send({})
    expect([res.status, res.body.code]).toEqual([404, 'wrong_path'])
    expect(res.body.message).toMatch(/paths must begin with \/v1 when they get here: /)
    expect(lines).toEqual([expect.stringContaining(res.body.message)])
  })

  it('where another may take the request, it says so in the log when nobody has', async () => {
    const { proxy, lines } = proxyHarness()
    const app = express().use(proxy)
    app.post('/mine/v1/track', (_req, res) => void res.send('mine'))
    expect((await request(app).post('/mine/v1/track')).text).toBe('mine')
    expect((await request(app).get('/yours/v1/track')).status).toBe(404)
    expect((await request(app).post('/yours/v1/nothing')).status).toBe(404)
    expect(lines).toEqual([])
    for (let i = 0; i < 3; i++) expect((await request(app).post('/yours/v1/track')).status).toBe(404)
    await proxy.close()
    expect(lines).toEqual([
      expect.stringMatching(/^1 request\(s\) for events found nothing at their path: paths must begin/),
      expect.stringMatching(/^2 request\(s\) /),
    ])
  })

  it.each<[string, Mount]>([
    [
      'after a handler of all paths',
      (app, proxy) => app.all('/{*rest}', (_q, _s, next) => next()).use(proxy),
    ],
    [
      'before another handler of the same path',
      (app, proxy) => app.post('/a/v1/t', proxy, (_q, _s, next) => next()),
    ],
  ])('%s, it leaves the request to those that follow', async (_how, mount) => {
    const { proxy } = proxyHarness()
    const app = express()
    mount(app, proxy)
    app.post('/a/v1/t', (_req, res) => void res.send('mine'))
    expect((await request(app).post('/a/v1/t')).text).toBe('mine')
  })

  it('by app.post() at the top, it takes events', async () => {
    const { proxy, web } = proxyHarness()
    const app = express().post('/v1/batch', proxy)
    const res = await request(app)
      .post('/v1/batch')
      .send({ writeKey: WEB_KEY, batch: [track] })
    expect(res.status).toBe(200)
    expect(web.delivered).toHaveLength(1)
  })
})

describe('write keys', () => {
  const post = async (body: unknown, headers: Record<string, string> = {}, path = '/v1/batch') => {
    const harness = proxyHarness()
    const res = await request(await listen(harness.proxy))
      .post(path)
      .set(headers)
      .send(body as object)
    return { ...harness, res }
  }

  it('come as HTTP Basic user name', async () => {
    const { res, web } = await post({ batch: [track] }, { authorization: basic(WEB_KEY) })
    expect(res.status).toBe(200)
    expect(web.delivered).toHaveLength(1)
  })

  it('can be several for one source', async () => {
    const { web } = await post({ batch: [track] }, { authorization: basic('web-write-key-2') })
    expect(web.delivered).toHaveLength(1)
  })

  it('of HTTP Basic win', async () => {
    const { web, app } = await post({ writeKey: APP_KEY, batch: [track] }, { authorization: basic(WEB_KEY) })
    expect([web.delivered.length, app.delivered.length]).toEqual([1, 0])
  })

  it.each<[string, string]>([
    ['Basic of a site in front', `Basic ${Buffer.from('visitor:password').toString('base64')}`],
    ['an empty user name', basic('')],
    ['a Bearer token', 'Bearer abc'],
    ['what is no Basic', 'Basic %%%'],
    ['Digest', 'Digest username="visitor"'],
  ])(
    'in the body or its events count beside credentials that name no source: %s',
    async (_name, authorization) => {
      const headers = { authorization }
      const ofBody = await post({ writeKey: APP_KEY, batch: [track] }, headers)
      expect([ofBody.res.status, ofBody.app.delivered.length]).toEqual([200, 1])
      const ofEvent = await post({ ...track, writeKey: WEB_KEY }, headers, '/v1/track')
      expect([ofEvent.res.status, ofEvent.web.delivered.length]).toEqual([200, 1])
      const batch = [
        { ...track, writeKey: WEB_KEY },
        { ...track, writeKey: APP_KEY },
      ]
      for (const shared of [{}, { writeKey: 'of-the-site' }]) {
        const ofEvents = await post({ ...shared, batch }, headers)
        expect(ofEvents.res.status).toBe(200)
        expect([ofEvents.web.delivered.length, ofEvents.app.delivered.length]).toEqual([1, 1])
      }
    },
  )

  it('of the body win over those of its events', async () => {
    const { web, app } = await post({ writeKey: WEB_KEY, batch: [{ ...track, writeKey: APP_KEY }] })
    expect([web.delivered.length, app.delivered.length]).toEqual([1, 0])
  })

  it('of events send each to its own source', async () => {
    const batch = [
      { ...track, messageId: 'a', writeKey: WEB_KEY },
      { ...track, messageId: 'b', writeKey: APP_KEY },
      { ...track, messageId: 'c', writeKey: 'wrong-key' },
      { ...track, messageId: 'd' },
    ]
    const { res, web, app, letters, lines } = await post({ batch })
    expect(res.status).toBe(200)
    expect(web.delivered.map((it) => it.messageId)).toEqual(['a'])
    expect(app.delivered.map((it) => it.messageId)).toEqual(['b'])
    expect(letters).toMatchObject([
      { code: 'ERR_UNKNOWN_WRITE_KEY', source: null, messageId: 'c' },
      { code: 'ERR_UNKNOWN_WRITE_KEY', source: null, messageId: 'd' },
    ])
    expect(JSON.stringify([letters, lines])).not.toContain('wrong-key')
  })

  it.each<[string, unknown, Record<string, string>, string]>([
    ['no key', { batch: [track] }, {}, '/v1/batch'],
    ['no key, no events', { batch: [] }, {}, '/v1/batch'],
    ['an unknown one in the body', { writeKey: 'nope', batch: [track] }, {}, '/v1/batch'],
    ['an unknown one in every event', { batch: [{ ...track, writeKey: 'nope' }] }, {}, '/v1/batch'],
    ['an unknown one in Basic', { batch: [track] }, { authorization: basic('nope') }, '/v1/batch'],
    ['an empty one in Basic', { batch: [track] }, { authorization: basic('') }, '/v1/batch'],
    ['a key that is no string', { writeKey: [WEB_KEY], batch: [track] }, {}, '/v1/batch'],
    ['no key for one event', track, {}, '/v1/track'],
    ['an unknown one for one event', { ...track, writeKey: 'nope' }, {}, '/v1/track'],
  ])('missing or wrong are 401: %s', async (_name, body, headers, path) => {
    const { res, web, app } = await post(body, headers, path)
    expect(res.status).toBe(401)
    expect(res.body).toEqual({
      code: 'invalid_write_key',
      message: expect.stringContaining('write key'),
      error: res.body.message,
    })
    expect([...web.calls, ...app.calls]).toEqual([])
    expect(res.text).not.toContain('nope')
  })

  it('take an empty batch', async () => {
    expect((await post({ writeKey: WEB_KEY, batch: [] })).res.status).toBe(200)
  })
})

describe('events', () => {
  const cases: [string, unknown, string][] = [
    ['null', null, 'The event is not an object'],
    ['a string', 'x', 'The event is not an object'],
    ['an array', [track], 'The event is not an object'],
    ['no type', { event: 'E', userId: 'u1' }, 'The event has no type'],
    ['an unknown type', { type: 'trak', userId: 'u1' }, 'none of track, page'],
    ['a type that is no string', { type: ['track'], userId: 'u1' }, 'none of track, page'],
    ['a type of the prototype', { type: 'constructor', userId: 'u1' }, 'none of track, page'],
    ['no identity', { type: 'page' }, 'no userId and no anonymousId'],
    ['an empty identity', { type: 'page', userId: '', anonymousId: null }, 'no userId and no anonymousId'],
    ['an identity that is an object', { type: 'page', userId: {} }, 'no userId and no anonymousId'],
    ['a track without a name', { type: 'track', userId: 'u1' }, 'no event name'],
    ['a track with an empty name', { type: 'track', event: ' ', userId: 'u1' }, 'no event name'],
    ['a track with a number for a name', { type: 'track', event: 7, userId: 'u1' }, 'no event name'],
  ]

  it.each(cases)('that are bad are quarantined alone: %s', async (_name, event, reason) => {
    const { proxy, web, letters, lines } = proxyHarness()
    const res = await request(await listen(proxy))
      .post('/v1/batch')
      .send({ writeKey: WEB_KEY, batch: [track, event, track] })
    expect([res.status, res.text]).toEqual([200, '{"success":true}'])
    expect(web.delivered).toHaveLength(2)
    expect(letters).toEqual([
      {
        at: NOW_ISO,
        code: 'ERR_INVALID_EVENT',
        reason: expect.stringContaining(reason),
        source: 'src_web',
        stream: null,
        messageId: null,
        data: event,
      },
    ])
    expect(lines).toEqual([expect.stringContaining('ERR_INVALID_EVENT: gave up 1 event(s) of Website')])
    expect(proxy.stats()).toMatchObject({
      quarantined: 1,
      requests: { accepted: 1, refused: 0, deferred: 0 },
      requestsByStatus: { 200: 1 },
    })
  })

  it.each([
    ['/v1/track', { event: 'E' }, 'no userId and no anonymousId'],
    ['/v1/track', { userId: 'u1' }, 'no event name'],
    ['/v1/identify', { traits: {} }, 'no userId and no anonymousId'],
  ])('that are bad and alone are 400: %s %j', async (path, event, reason) => {
    const { proxy, web, letters } = proxyHarness()
    const res = await request(await listen(proxy))
      .post(path)
      .send({ ...event, writeKey: WEB_KEY })
    expect([res.status, res.body.code]).toEqual([400, 'invalid_event'])
    expect(res.body.message).toContain(reason)
    expect(web.calls).toEqual([])
    expect(letters).toMatchObject([{ code: 'ERR_INVALID_EVENT', source: 'src_web', data: event }])
  })

  it.each([
    ['a number for a userId', { type: 'identify', userId: 7 }],
    ['a groupId', { type: 'group', groupId: 'g1' }],
    ['a previousId', { type: 'alias', previousId: 'p1' }],
    ['an anonymousId', { type: 'page', anonymousId: 'a1' }],
  ])('count as identified with %s', async (_name, event) => {
    const { proxy, web } = proxyHarness()
    await request(await listen(proxy))
      .post('/v1/batch')
      .send({ writeKey: WEB_KEY, batch: [event] })
    expect(web.delivered).toMatchObject([event])
  })
})

describe('answers after delivery', () => {
  const post = async (harness: ReturnType<typeof proxyHarness>, batch: unknown[]) =>
    request(await listen(harness.proxy))
      .post('/v1/batch')
      .send({ writeKey: WEB_KEY, batch })

  it('wait for it', async () => {
    const harness = proxyHarness()
    let deliver = () => {}
    let called = () => {}
    const asked = new Promise<void>((resolve) => {
      called = resolve
    })
    harness.web.outcome = () =>
      new Promise((resolve) => {
        deliver = () => resolve({ status: 'delivered' })
        called()
      })
    let isAnswered = false
    const answered = post(harness, [track]).then((res) => {
      isAnswered = true
      return res
    })
    await asked
    await new Promise((resolve) => setImmediate(resolve))
    expect(isAnswered).toBe(false)
    deliver()
    expect((await answered).status).toBe(200)
  })

  it.each([
    'ERR_BUFFER_FULL',
    'ERR_DELIVERY_TIMEOUT',
    'ERR_STREAM_UNAVAILABLE',
    'ERR_ASSUME_ROLE',
    'ERR_CLOSED',
  ] as const)('are 503 with Retry-After for %s, which may pass', async (code) => {
    const harness = proxyHarness()
    harness.web.outcome = (event) =>
      event.messageId === 'bad' ? failure(code, 'role/secret-name') : { status: 'delivered' }
    const res = await post(harness, [track, { ...track, messageId: 'bad' }, null])
    expect([res.status, res.body.code]).toEqual([503, 'not_delivered'])
    expect(res.headers['retry-after']).toMatch(/^[1-9]\d*$/)
    expect(res.text).not.toContain('secret-name')
    // The sender sends all of it again: what is bad would be kept twice.
    expect(harness.letters).toEqual([])
  })

  it.each(['ERR_RECORD_TOO_LARGE', 'ERR_UNSERIALIZABLE', 'ERR_RECORD_REJECTED', 'ERR_TRANSFORM'] as const)(
    'are 200 for %s, which never passes, once it is a dead letter',
    async (code) => {
      const harness = proxyHarness()
      harness.web.outcome = (event) => (event.messageId === 'bad' ? failure(code) : { status: 'delivered' })
      const res = await post(harness, [track, { ...track, messageId: 'bad', userId: 'private' }])
      expect(res.status).toBe(200)
      expect(harness.letters).toMatchObject([
        { code, source: 'src_web', stream: 'everything', messageId: 'bad', data: { userId: 'private' } },
      ])
      expect(harness.lines.join()).toContain(`${code}: gave up 1 event(s) of Website for everything`)
      expect(harness.lines.join()).not.toContain('private')
      expect(harness.lines.join()).not.toContain('src_web')
    },
  )

  it('are 503 where dead letters cannot be written', async () => {
    const write = async () => Promise.reject(new Error('ENOSPC: no space left on device'))
    const harness = proxyHarness({ deadLetters: { write } })
    const res = await post(harness, [track, null])
    expect([res.status, res.body.code]).toEqual([503, 'dead_letters_unwritable'])
    expect(res.headers['retry-after']).toMatch(/^\d+$/)
    expect(harness.lines.join()).toContain('no space left')
    expect(harness.proxy.stats().quarantined).toBe(0)
  })

  it('are 200 without dead letters where none are kept, and logged', async () => {
    const harness = proxyHarness({ deadLetters: undefined })
    expect((await post(harness, [null, { ...track, type: 'x', messageId: 'm\n1' }])).status).toBe(200)
    expect(harness.lines).toHaveLength(2)
    expect(harness.lines[1]).toContain('(messageId "m\\n1")')
  })

  it('are 500 in JSON where a destination breaks its word', async () => {
    const harness = proxyHarness()
    harness.web.deliver = async () => []
    const res = await post(harness, [track])
    expect([res.status, res.body.code]).toEqual([500, 'internal_error'])
    expect(harness.lines.join()).toContain('no outcome for an event')
  })

  it.each([
    ['an event is given up', () => failure('ERR_TRANSFORM'), 200],
    ['a destination breaks its word', () => Promise.reject(new Error('broken')), 500],
  ])('come though the logger throws, where %s', async (_name, outcome, status) => {
    const log = () => {
      throw new Error('the disk of the logs is full')
    }
    const { proxy, web } = proxyHarness({ logger: { info: log, warn: log, error: log } })
    web.outcome = outcome
    const res = await request(await listen(proxy))
      .post('/v1/track')
      .send({ ...track, writeKey: WEB_KEY })
    expect(res.status).toBe(status)
  })

  it('of one source do not depend on another', async () => {
    const harness = proxyHarness()
    harness.web.outcome = () => failure('ERR_ASSUME_ROLE')
    const url = await listen(harness.proxy)
    const send = (writeKey: string) =>
      request(url)
        .post('/v1/batch')
        .send({ writeKey, batch: [track] })
    expect([(await send(WEB_KEY)).status, (await send(APP_KEY)).status]).toEqual([503, 200])
  })

  it('are told in the log by the source that fails, though the request has others', async () => {
    const harness = proxyHarness()
    harness.web.outcome = () => failure('ERR_ASSUME_ROLE', 'role/secret-name')
    const batch = [WEB_KEY, APP_KEY].map((writeKey) => ({ ...track, writeKey }))
    const res = await request(await listen(harness.proxy))
      .post('/v1/batch')
      .send({ batch })
    expect(res.status).toBe(503)
    expect(harness.lines).toEqual([
      'Turned away 1 request(s) of Website with 503 not_delivered: The events could not be delivered for now (ERR_ASSUME_ROLE); send them again later',
    ])
  })
})

describe('a destination of a site that was replaced', () => {
  /** One that waits for company until it is flushed, and a request that waits with it. */
  async function replaced() {
    const harness = proxyHarness()
    const { proxy, web } = harness
    let flushed = () => {}
    web.flush = async () => {
      web.calls.push('flush')
      flushed()
    }
    const asked = new Promise<void>((called) => {
      web.outcome = () =>
        new Promise((resolve) => {
          flushed = () => resolve({ status: 'delivered' })
          called()
        })
    })
    const url = await listen(proxy)
    const answer = request(url)
      .post('/v1/batch')
      .send({ writeKey: WEB_KEY, batch: [track] })
      .then((res) => res.status)
    await asked
    const source = { id: 'src_web', name: 'Website', writeKeys: [WEB_KEY], destination: web }
    return { ...harness, answer, replace: () => proxy.replaceSite(siteOf([]), [plainSource(source)]) }
  }

  it('does not wait for company, and ends when its requests are answered', async () => {
    const { web, answer, replace } = await replaced()
    replace()
    expect(web.calls).toEqual(['deliver', 'flush'])
    expect(await answer).toBe(200)
    await turnOfTheLoop()
    expect(web.calls).toEqual(['deliver', 'flush', 'close'])
  })

  it('is flushed and ended in time when the proxy closes first', async () => {
    const { proxy, web, answer, replace } = await replaced()
    web.flush = async () => void web.calls.push('flush')
    replace()
    void answer.catch(() => {})
    await proxy.close({ timeout: 0 })
    expect(web.calls).toEqual(['deliver', 'flush', 'flush', 'close at once'])
  })
})

describe('close', () => {
  it('waits for requests under way, refuses new ones, and reports', async () => {
    const { proxy, web } = proxyHarness()
    let deliver = () => {}
    const asked = new Promise<void>((called) => {
      web.outcome = () =>
        new Promise((resolve) => {
          deliver = () => resolve({ status: 'delivered' })
          called()
        })
    })
    const url = await listen(proxy)
    const send = () =>
      request(url)
        .post('/v1/batch')
        .send({ writeKey: WEB_KEY, batch: [track] })
    const first = send().then((res) => res.status)
    await asked
    const closed = proxy.close({ timeout: 5_000 })
    const second = await fetch(`${url}/v1/batch`, { method: 'POST', body: '{}' })
    expect([second.status, await second.json()]).toMatchObject([503, { code: 'closing' }])
    expect(second.headers.get('connection')).toBe('close')
    expect(web.calls).toEqual(['deliver', 'flush'])
    deliver()
    expect(await first).toBe(200)
    expect(await closed).toEqual({
      Website: { everything: { delivered: 1, spilled: 0, failed: 0 } },
      App: { everything: { delivered: 0, spilled: 0, failed: 0 } },
    })
    expect(web.calls).toEqual(['deliver', 'flush', 'close in time'])
  })

  it('reports what went through destinations that were replaced, under way or not', async () => {
    const { proxy, web, app } = proxyHarness()
    const sources = (destination: FakeDestination) => [
      plainSource({ id: 'src_web', name: 'Website', writeKeys: [WEB_KEY], destination }),
    ]
    await web.deliver([track])
    proxy.replaceSite(siteOf(sources(app)), sources(web))
    await app.deliver([track, track])
    expect(await proxy.close()).toEqual({
      Website: { everything: { delivered: 3, spilled: 0, failed: 0 } },
    })
  })

  it('takes no other site once it closes', async () => {
    const { proxy, web } = proxyHarness()
    await proxy.close()
    const calls = [...web.calls]
    const source = { id: 'src_web', name: 'Website', writeKeys: [WEB_KEY], destination: web }
    proxy.replaceSite(siteOf([]), [plainSource(source)])
    await turnOfTheLoop()
    expect(web.calls).toEqual(calls)
  })

  it('tells of the refusals that the log does not have yet', async () => {
    const { proxy, lines } = proxyHarness()
    const url = await listen(proxy)
    for (let i = 0; i < 3; i++) await fetch(`${url}/v1/track`, { method: 'POST', body: 'no JSON' })
    expect(lines).toEqual([expect.stringMatching(/^Refused 1 request/)])
    await proxy.close()
    expect(lines.slice(1)).toEqual([expect.stringMatching(/^Refused 2 request/)])
  })

  it('waits no longer than its timeout', async () => {
    const { proxy, web } = proxyHarness()
    const asked = new Promise<void>((called) => {
      web.outcome = () => {
        called()
        return new Promise(() => {})
      }
    })
    const url = await listen(proxy)
    void request(url)
      .post('/v1/batch')
      .send({ writeKey: WEB_KEY, batch: [track] })
      .catch(() => {})
    await asked
    await proxy.close({ timeout: 0 })
    expect(web.calls).toContain('close at once')
  })
})

it('flushes every source and counts by name', async () => {
  const { proxy, web, app } = proxyHarness()
  await proxy.flush()
  expect([web.calls, app.calls]).toEqual([['flush'], ['flush']])
  expect(Object.keys(proxy.stats().sources)).toEqual(['Website', 'App'])
})
