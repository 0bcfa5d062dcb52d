import { connect } from 'node:net'
import { describe, expect, it } from '@jest/globals'
import { EVENT_TYPES } from '../../../server/http/endpoint.js'
import { MAX_BODY_BYTES } from '../../../server/http/limits.js'
import { basic, listen, proxyHarness, WEB_KEY } from '../proxy-harness.js'
import { exchange, headOf, type RawRequest } from './wire.js'

type Headers = RawRequest['headers']

const EVENT = { event: 'Größe', userId: 'u1' }
const track = { ...EVENT, type: 'track' }
const BASIC: Headers = [['Authorization', basic(WEB_KEY)]]

const json = (value: unknown) => Buffer.from(JSON.stringify(value))
const keyedBatch = json({ writeKey: WEB_KEY, batch: [track] })

/** Sends what differs from a good batch to a proxy of its own. */
async function post(given: Partial<RawRequest>, harness = proxyHarness()) {
  const url = await listen(harness.proxy)
  const answer = await exchange(url, { path: '/v1/batch', headers: [], body: keyedBatch, ...given })
  return { ...harness, answer }
}

const EVENT_PATHS = EVENT_TYPES.flatMap((type) => [
  [`/v1/${type}`, type],
  [`/v1/${type}/`, type],
  [`/v1/${type.charAt(0)}`, type],
  [`/v1/${type.charAt(0)}/`, type],
])
const BATCH_PATHS = ['/v1/batch', '/v1/b', '/v1/import'].flatMap((path) => [path, `${path}/`])

const CONTENT_TYPES: readonly (readonly [string, Headers])[] = [
  ['application/json', [['Content-Type', 'application/json']]],
  ['text/plain', [['Content-Type', 'text/plain;charset=UTF-8']]],
  ['a form', [['Content-Type', 'application/x-www-form-urlencoded']]],
  ['no Content-Type', []],
]

describe.each(CONTENT_TYPES)('with %s', (_name, contentType) => {
  it.each(EVENT_PATHS)(
    'an event at %s may have its key in Basic, in the body, or in both',
    async (path, type) => {
      for (const [headers, key] of [
        [BASIC, undefined],
        [[], WEB_KEY],
        [BASIC, WEB_KEY],
      ] as const) {
        const body = json({ ...EVENT, writeKey: key })
        const { answer, web } = await post({
          path: String(path),
          headers: [...contentType, ...headers],
          body,
        })
        expect([answer.status, answer.body]).toEqual([200, '{"success":true}'])
        expect(web.delivered).toMatchObject([{ ...EVENT, type }])
      }
    },
  )

  it.each(BATCH_PATHS)(
    'a batch at %s may have its key in Basic, in the body, or in its events',
    async (path) => {
      const bodies: [Headers, unknown][] = [
        [BASIC, { batch: [track] }],
        [[], { writeKey: WEB_KEY, batch: [track] }],
        [[], { batch: [{ ...track, writeKey: WEB_KEY }] }],
      ]
      for (const [headers, body] of bodies) {
        const { answer, web } = await post({ path, headers: [...contentType, ...headers], body: json(body) })
        expect([answer.status, answer.body]).toEqual([200, '{"success":true}'])
        expect(web.delivered).toMatchObject([track])
      }
    },
  )
})

describe('an Authorization', () => {
  const base64 = Buffer.from(`${WEB_KEY}:`).toString('base64')
  it.each([
    ['in lower case', `basic ${base64}`],
    ['with a password', `Basic ${Buffer.from(`${WEB_KEY}:secret`).toString('base64')}`],
    ['without padding', `Basic ${base64.replace(/=+$/, '')}`],
  ])('of HTTP Basic counts: %s', async (_name, authorization) => {
    const { answer } = await post({
      headers: [['authorization', authorization]],
      body: json({ batch: [track] }),
    })
    expect(answer.status).toBe(200)
  })

  it.each([
    ['of OAuth', 'Bearer eyJhbGciOi'],
    ['that is no base64', 'Basic %%%'],
    ['without a colon', `Basic ${Buffer.from(WEB_KEY).toString('base64')}`],
    ['without a user name', `Basic ${Buffer.from(':').toString('base64')}`],
    ['that is empty', ''],
  ])('%s leaves it to the body', async (_name, authorization) => {
    const headers: Headers = [['Authorization', authorization]]
    expect((await post({ headers })).answer.status).toBe(200)
    expect((await post({ headers, body: json({ batch: [track] }) })).answer.status).toBe(401)
  })
})

describe('a path or a method', () => {
  const paths = [...EVENT_PATHS.map(([path]) => String(path)), ...BATCH_PATHS, '/v1/m', '/v1/m/']

  it.each(paths)('%s takes POST only', async (path) => {
    for (const method of ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE']) {
      const { answer, web } = await post({ method, path })
      expect([answer.status, answer.headers['allow'], web.calls]).toEqual([405, 'POST', []])
      expect(answer.headers['content-type']).toBe('application/json; charset=utf-8')
    }
  })

  it.each(['/V1/batch', '/v1/Batch', '/v1/%62atch', '/v1/x', '/v1/tt', '/v2/batch', '/v1batch'])(
    '%s is 404 in JSON',
    async (path) => {
      const { answer, web } = await post({ path })
      expect([answer.status, JSON.parse(answer.body).code, web.calls]).toEqual([404, 'not_found', []])
    },
  )

  it('of telemetry takes anything, read to its end', async () => {
    for (const path of ['/v1/m', '/v1/m/']) {
      const { answer } = await post({ path, body: Buffer.alloc(MAX_BODY_BYTES * 2) })
      expect([answer.status, answer.body]).toEqual([200, '{"success":true}'])
    }
  })
})

it('answers requests in one go, in their order, whatever became of those before', async () => {
  const { proxy, web } = proxyHarness()
  const url = await listen(proxy)
  const requests: [Partial<RawRequest>, number][] = [
    [{ path: '/v1/nothing' }, 404],
    [{ method: 'PUT' }, 405],
    [{ headers: [['Authorization', basic('mistyped')]], body: json({ batch: [track] }) }, 401],
    [{ headers: [['Content-Encoding', 'gzip']], body: Buffer.from('no gzip') }, 400],
    [{ headers: [['Content-Encoding', 'gzip']] }, 200],
    [{ body: Buffer.from('{') }, 400],
    [{ path: '/v1/m' }, 200],
    [{}, 200],
    [{ headers: [['Connection', 'close']] }, 200],
  ]
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  for (const [given] of requests) {
    const request: RawRequest = { path: '/v1/batch', headers: [], body: keyedBatch, ...given }
    socket.write(Buffer.concat([Buffer.from(headOf(url, request)), request.body]))
  }
  let received = ''
  for await (const chunk of socket) received += String(chunk)
  const statuses = [...received.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status))
  expect(statuses).toEqual(requests.map(([, status]) => status))
  expect(web.delivered).toHaveLength(3)
})
