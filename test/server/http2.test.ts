import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from '@jest/globals'
import { AllowedOrigins } from '../../server/http/allowed-origins.js'
import { trustOf } from '../../server/http/client-address.js'
import { MAX_BODY_BYTES } from '../../server/http/limits.js'
import { findAnalyticsPackage } from '../../server/web/analytics-package.js'
import { parsePublicUrl } from '../../server/web/public-url.js'
import { basic, type HarnessParts, proxyHarness, WEB_KEY } from './proxy-harness.js'

const event = { event: 'E', userId: 'u1' }
const AUTHORITY = 'events.example.com'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** The middleware in a real HTTP/2 server, by the compatibility API of Node, without TLS. */
async function start(parts: HarnessParts = {}) {
  const harness = proxyHarness(parts)
  const server = createServer(harness.proxy)
  const url = await listening(server)
  const session = connect(url)
  closing.push(() => session.destroy())
  return { ...harness, url, server, session }
}

async function listening(server: Http2Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(() => new Promise((resolve) => server.close(resolve)))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

interface Answer {
  readonly status: number | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

async function answerOf(stream: ClientHttp2Stream): Promise<Answer> {
  let headers: IncomingHttpHeaders = {}
  stream.once('response', (given) => {
    headers = given
  })
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return { status: Number(headers[':status']), headers, body: Buffer.concat(chunks) }
}

function send(
  session: ClientHttp2Session,
  path: string,
  headers: OutgoingHttpHeaders = {},
  body?: Buffer | string,
): Promise<Answer> {
  const method = body === undefined ? 'GET' : 'POST'
  const stream = session.request({ ':method': method, ':path': path, ':authority': AUTHORITY, ...headers })
  stream.end(body)
  return answerOf(stream)
}

/** The host that the settings of a source send browsers to. */
async function sentTo(answer: Answer): Promise<string> {
  const { integrations } = JSON.parse(answer.body.toString())
  const { apiHost, protocol } = integrations['Segment.io']
  return `${protocol}://${apiHost}`
}

describe('under HTTP/2', () => {
  it('browsers load what names the host that they asked for', async () => {
    const { session } = await start()
    const settings = await send(session, `/v1/projects/${WEB_KEY}/settings`)
    expect([settings.status, await sentTo(settings)]).toEqual([200, `http://${AUTHORITY}/v1`])
    for (const path of [`/analytics.js/v1/${WEB_KEY}/analytics.min.js`, `/snippet/${WEB_KEY}`]) {
      const plain = await send(session, path)
      expect([plain.status, plain.body.includes(AUTHORITY)]).toEqual([200, true])
      const zipped = await send(session, path, { 'accept-encoding': 'gzip' })
      expect(gunzipSync(zipped.body)).toEqual(plain.body)
      const known = await send(session, path, { 'if-none-match': plain.headers.etag })
      expect([known.status, known.body.length]).toEqual([304, 0])
      const head = await send(session, path, { ':method': 'HEAD' })
      expect([head.status, head.headers['content-length'], head.body.length]).toEqual([
        200,
        String(plain.body.length),
        0,
      ])
    }
    const { folder } = await findAnalyticsPackage()
    const part = readdirSync(folder).find((name) => /\.bundle\.[\da-f]+\.js$/.test(name)) ?? ''
    const loaded = await send(session, `/analytics-next/bundles/${part}`)
    expect([loaded.status, loaded.body]).toEqual([200, readFileSync(join(folder, part))])
  })

  it.each(['-example.com', 'example.com:123456'])('a host that is none is refused: %j', async (authority) => {
    const { session } = await start()
    const { status, body } = await send(session, `/v1/projects/${WEB_KEY}/settings`, {
      ':authority': authority,
    })
    expect([status, JSON.parse(body.toString()).code]).toEqual([400, 'invalid_host'])
  })

  it('proxies that are trusted, and publicUrl, count before the authority', async () => {
    const forwarded = {
      'x-forwarded-host': 'evil.example, www.example.com',
      'x-forwarded-proto': 'http, https',
    }
    const trusting = await start({ more: { trust: trustOf(1) } })
    const settings = (session: ClientHttp2Session) =>
      send(session, `/v1/projects/${WEB_KEY}/settings`, forwarded)
    expect(await sentTo(await settings(trusting.session))).toBe('https://www.example.com/v1')
    const publicUrl = parsePublicUrl('https://e.example.com/x')
    const configured = await start({ more: { publicUrl, trust: trustOf(1) } })
    expect(await sentTo(await settings(configured.session))).toBe('https://e.example.com/x/v1')
  })

  it.each<[string, string, object, OutgoingHttpHeaders]>([
    ['an event', '/v1/track', event, {}],
    ['a batch', '/v1/batch', { batch: [{ ...event, type: 'track' }] }, {}],
    ['a batch in gzip', '/v1/b', { batch: [{ ...event, type: 'track' }] }, { 'content-encoding': 'gzip' }],
    ['an event without the version', '/t', event, {}],
  ])('is delivered: %s', async (_name, path, body, headers) => {
    const { session, web, budget } = await start()
    const text = JSON.stringify({ writeKey: WEB_KEY, ...body })
    const sent = headers['content-encoding'] === 'gzip' ? gzipSync(text) : text
    const userAgent = Buffer.from('Größe 天气').toString('latin1')
    const answer = await send(
      session,
      path,
      { ...headers, 'user-agent': userAgent, origin: 'https://a.example' },
      sent,
    )
    expect([answer.status, answer.body.toString()]).toEqual([200, '{"success":true}'])
    expect(answer.headers['access-control-allow-origin']).toBe('https://a.example')
    const context = { ip: '127.0.0.1', userAgent: 'Größe 天气' }
    expect(web.delivered).toMatchObject([{ ...event, type: 'track', channel: 'client', context }])
    expect(budget.used).toBe(0)
  })

  it('a pixel and a beacon are delivered', async () => {
    const { session, web } = await start()
    const data = Buffer.from(JSON.stringify({ ...event, writeKey: WEB_KEY })).toString('base64url')
    const pixel = await send(session, `/v1/pixel/track?data=${data}`)
    expect([pixel.status, pixel.headers['content-type']]).toEqual([200, 'image/gif'])
    const batch = JSON.stringify({ batch: [{ ...event, type: 'track' }] })
    const beacon = await send(session, `/beacon/v1/batch?writeKey=${WEB_KEY}`, {}, batch)
    expect([beacon.status, web.delivered.length]).toEqual([200, 2])
  })

  it('pages of its own host may send, and others are allowed what their preflight asks for', async () => {
    const { session, web } = await start({
      source: { origins: new AllowedOrigins(['https://www.example.com']) },
    })
    const post = (origin: string) =>
      send(session, '/v1/track', { origin, authorization: basic(WEB_KEY) }, JSON.stringify(event))
    const origins = [`https://${AUTHORITY}`, 'https://www.example.com', 'https://other.example']
    const answers = await Promise.all(origins.map(post))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 403])
    expect(web.delivered).toHaveLength(2)
    const preflight = await send(session, '/v1/track', {
      ':method': 'OPTIONS',
      origin: 'https://www.example.com',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'baggage,traceparent',
    })
    expect([preflight.status, preflight.headers['access-control-allow-headers']]).toEqual([
      204,
      'baggage,traceparent',
    ])
  })

  it('what is refused by its headers is answered before its body has come', async () => {
    const { session, web } = await start()
    web.parked = true
    const stream = session.request({ ':method': 'POST', ':path': '/v1/batch', authorization: basic(WEB_KEY) })
    stream.write('{"batch":[')
    const [headers] = await once(stream, 'response')
    expect([headers[':status'], headers['retry-after']]).toEqual([503, '5'])
    stream.end()
    stream.resume()
    await once(stream, 'close')
  })

  it('what is too large is refused, and the session goes on', async () => {
    const { session, web, budget } = await start()
    const headers = { authorization: basic(WEB_KEY) }
    const answer = await send(session, '/v1/batch', headers, Buffer.alloc(MAX_BODY_BYTES + 1, ' '))
    expect([answer.status, JSON.parse(answer.body.toString()).code]).toEqual([400, 'body_too_large'])
    expect((await send(session, '/v1/track', headers, JSON.stringify(event))).status).toBe(200)
    expect([web.delivered.length, budget.used]).toEqual([1, 0])
  })

  it('a sender that goes away harms nobody, whether it is being read, delivered or answered', async () => {
    const { session, web, proxy, lines, budget } = await start()
    const headers = { ':method': 'POST', ':path': '/v1/track', authorization: basic(WEB_KEY) }
    let deliver = () => {}
    const asked = new Promise<void>((called) => {
      web.outcome = () =>
        new Promise((resolve) => {
          deliver = () => resolve({ status: 'delivered' })
          called()
        })
    })
    const delivered = session.request(headers)
    delivered.end(JSON.stringify(event))
    await asked
    delivered.close(constants.NGHTTP2_CANCEL)
    await once(delivered, 'close')
    // Whole as far as it has come: what Node takes for the end of a body is not always one.
    const half = session.request(headers)
    half.write(JSON.stringify({ ...event, event: 'Half' }))
    const loading = session.request({ ':path': `/analytics.js/v1/${WEB_KEY}/analytics.min.js` })
    // The server has taken all that was sent before this.
    expect((await send(session, '/v1/m', {}, '{}')).status).toBe(200)
    half.destroy()
    loading.destroy()
    deliver()
    web.outcome = () => ({ status: 'delivered' })
    expect(
      (await send(session, '/v1/track', { authorization: basic(WEB_KEY) }, JSON.stringify(event))).status,
    ).toBe(200)
    await proxy.close({ timeout: 0 })
    expect([web.delivered.length, lines, budget.used]).toEqual([2, [], 0])
  })

  it('requests under way are answered when it closes, and later ones sent away', async () => {
    const { session, web, proxy } = await start()
    const headers = { authorization: basic(WEB_KEY) }
    let deliver = () => {}
    const asked = new Promise<void>((called) => {
      web.outcome = () =>
        new Promise((resolve) => {
          deliver = () => resolve({ status: 'delivered' })
          called()
        })
    })
    const answered = send(session, '/v1/track', headers, JSON.stringify(event))
    await asked
    const closed = proxy.close({ timeout: 5_000 })
    const late = await send(session, '/v1/track', headers, JSON.stringify(event))
    expect([late.status, JSON.parse(late.body.toString()).code]).toEqual([503, 'closing'])
    deliver()
    expect((await answered).status).toBe(200)
    await closed
  })
})
