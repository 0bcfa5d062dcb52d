import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from '@jest/globals'
import express from 'express'
import { type FirehoseProxy, firehoseProxy, type ProxyConfig } from '../../server/index.js'
import { startTestAws, type TestAws } from '../integration/aws.js'
import { basic, listen } from './proxy-harness.js'

interface Seen {
  readonly url: string
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: Buffer
}

let aws: TestAws
let proxy: FirehoseProxy
const closing: (() => Promise<unknown>)[] = []

afterEach(async () => {
  await proxy.close({ timeout: 0 })
  await aws.close()
  for (const close of closing.splice(0)) await close()
})

/** Stands for Segment's API: tells what it was sent, and answers what the test says. */
async function startSegment(status = () => 200) {
  const seen: Seen[] = []
  let arrived = () => {}
  const server = createServer(async (req, res) => {
    const chunks: Buffer[] = []
    for await (const chunk of req) chunks.push(chunk as Buffer)
    seen.push({ url: req.url ?? '', headers: req.headers, body: Buffer.concat(chunks) })
    res.writeHead(status()).end('{"success":true}')
    arrived()
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  closing.push(() => {
    const closed = new Promise((done) => server.close(done))
    server.closeAllConnections()
    return closed
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const sawRequests = async (count: number) => {
    while (seen.length < count) {
      await new Promise<void>((resolve) => {
        arrived = resolve
      })
    }
    return seen
  }
  return { url, seen, sawRequests }
}

async function configFor(url: string, forward: object = {}): Promise<ProxyConfig> {
  aws ??= await startTestAws()
  const { mappedStreams, ...destination } = aws.settings()
  const quiet = { info() {}, warn() {}, error() {} }
  const source = (id: string) => ({
    id,
    name: id,
    writeKey: `${id}-key`,
    destination: { ...destination, sourceId: id, mappedStreams: { '*': id }, logger: quiet },
  })
  return {
    logger: quiet,
    trustProxy: 'loopback',
    sources: [{ ...source('src_web'), forward: { url, ...forward } }, source('src_app')],
  }
}

const batch = [{ type: 'track', event: 'E', userId: 'u1', messageId: 'm1' }]

describe('forwarding to Segment', () => {
  it('hands a request on as it came: path, body, key, encoding and client', async () => {
    aws = await startTestAws()
    const segment = await startSegment()
    proxy = firehoseProxy(await configFor(segment.url))
    const url = await listen(express().use('/analytics', proxy))
    const body = gzipSync(JSON.stringify({ batch, sentAt: '2026-01-01T00:00:00.000Z' }))
    const res = await fetch(`${url}/analytics/v1/import/`, {
      method: 'POST',
      headers: {
        authorization: basic('src_web-key'),
        'content-encoding': 'gzip',
        'content-type': 'text/plain',
        cookie: 'session=secret',
        'user-agent': 'SDK/1',
        'x-forwarded-for': '203.0.113.7',
      },
      body,
    })
    expect(res.status).toBe(200)
    const [seen] = await segment.sawRequests(1)
    expect(seen?.url).toBe('/v1/import')
    expect(seen?.body).toEqual(body)
    expect(seen?.headers).toMatchObject({
      authorization: basic('src_web-key'),
      'content-encoding': 'gzip',
      'content-type': 'text/plain',
      'user-agent': 'SDK/1',
      'x-forwarded-for': '203.0.113.7',
    })
    expect(seen?.headers).not.toHaveProperty('cookie')
    expect(await aws.lines('src_web')).toHaveLength(1)
  })

  it('hands on what a body parser had read before, and the event of a pixel', async () => {
    aws = await startTestAws()
    const segment = await startSegment()
    proxy = firehoseProxy(await configFor(segment.url))
    const url = await listen(express().use(express.json()).use(proxy))
    const event = { ...batch[0], writeKey: 'src_web-key' }
    await fetch(`${url}/v1/t`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(event),
    })
    await segment.sawRequests(1)
    await fetch(
      `${url}/v1/pixel/track?data=${Buffer.from(JSON.stringify({ ...event, messageId: 'm2' })).toString('base64url')}`,
    )
    const seen = await segment.sawRequests(2)
    expect(seen.map((it) => [it.url, JSON.parse(it.body.toString())])).toEqual([
      ['/v1/t', event],
      ['/v1/track', { ...event, messageId: 'm2' }],
    ])
  })

  it('hands on of a batch only the events of the sources that want it', async () => {
    aws = await startTestAws()
    const segment = await startSegment()
    proxy = firehoseProxy(await configFor(segment.url))
    const url = await listen(proxy)
    const mixed = ['src_web-key', 'src_app-key', 'unknown'].map((writeKey) => ({
      ...batch[0],
      writeKey,
      messageId: writeKey,
    }))
    const body = gzipSync(JSON.stringify({ context: { a: 1 }, batch: mixed }))
    await fetch(`${url}/v1/batch`, { method: 'POST', headers: { 'content-encoding': 'gzip' }, body })
    const [seen] = await segment.sawRequests(1)
    expect(seen?.headers).not.toHaveProperty('content-encoding')
    expect(JSON.parse(String(seen?.body))).toEqual({ context: { a: 1 }, batch: [mixed[0]] })
    expect(segment.seen).toHaveLength(1)
  })

  it('keeps credentials for something in front to itself', async () => {
    aws = await startTestAws()
    const segment = await startSegment()
    proxy = firehoseProxy(await configFor(segment.url))
    const url = await listen(proxy)
    const send = (path: string, authorization: string, body: object) =>
      fetch(url + path, { method: 'POST', headers: { authorization }, body: JSON.stringify(body) })
    const ofTheSite = `Basic ${Buffer.from('visitor:password').toString('base64')}`
    const event = { ...batch[0], writeKey: 'src_web-key' }
    await send('/v1/track', ofTheSite, { ...event, messageId: 'a' })
    await send('/v1/track', 'Bearer password', { ...event, messageId: 'b' })
    await send('/v1/batch', ofTheSite, { writeKey: 'of-the-site', batch: [{ ...event, messageId: 'c' }] })
    await send('/v1/batch', `Basic ${Buffer.from('src_web-key:password').toString('base64')}`, { batch })
    const seen = await segment.sawRequests(4)
    const byId = new Map(
      seen.map(({ headers, body }) => {
        const sent = JSON.parse(body.toString())
        return [sent.messageId ?? sent.batch[0].messageId, { authorization: headers['authorization'], sent }]
      }),
    )
    expect(byId.get('a')?.authorization).toBeUndefined()
    expect(byId.get('b')?.authorization).toBeUndefined()
    expect(byId.get('c')).toEqual({
      authorization: basic('src_web-key'),
      sent: { batch: [{ ...event, messageId: 'c' }] },
    })
    expect(byId.get('m1')?.authorization).toBe(basic('src_web-key'))
  })

  it('hands a beacon on as the batch that it is, with the key of its URL as HTTP Basic', async () => {
    aws = await startTestAws()
    const segment = await startSegment()
    proxy = firehoseProxy(await configFor(segment.url))
    const body = JSON.stringify({ batch })
    await fetch(`${await listen(proxy)}/beacon/v1/batch?writeKey=src_web-key`, { method: 'POST', body })
    const [seen] = await segment.sawRequests(1)
    expect([seen?.url, seen?.headers['authorization'], seen?.body.toString()]).toEqual([
      '/v1/batch',
      basic('src_web-key'),
      body,
    ])
  })

  it('never delays or fails the delivery', async () => {
    aws = await startTestAws()
    proxy = firehoseProxy(await configFor('http://127.0.0.1:1'))
    const url = await listen(proxy)
    const init = {
      method: 'POST',
      headers: { authorization: basic('src_web-key') },
      body: JSON.stringify({ batch }),
    }
    expect((await fetch(`${url}/v1/batch`, init)).status).toBe(200)
    expect(proxy.stats().sources['src_web']?.forwarding).toMatchObject({ forwarded: 0, queued: 1 })
  })

  it('hands on the events that were accepted of a body that is broken elsewhere', async () => {
    aws = await startTestAws()
    const segment = await startSegment()
    proxy = firehoseProxy(await configFor(segment.url))
    const url = await listen(proxy)
    const event = (messageId: string) => JSON.stringify({ ...batch[0], writeKey: 'src_web-key', messageId })
    const depth = 100_000
    const deep = event('deep').replace('"E"', `"E","properties":${'['.repeat(depth)}${']'.repeat(depth)}`)
    const body = `{"sentAt":"2026-01-01T00:00:00Z","batch":[${event('good')},${deep},{"a":NaN},${event('also')}]}`
    expect((await fetch(`${url}/v1/batch`, { method: 'POST', body })).status).toBe(200)
    const ids = (await aws.lines('src_web')).map((line) => JSON.parse(line).messageId)
    expect(ids).toEqual(['good', 'also'])
    const [seen] = await segment.sawRequests(1)
    expect(seen?.body.toString()).toBe(
      `{"sentAt":"2026-01-01T00:00:00Z","batch":[${event('good')},${event('also')}]}`,
    )
  })

  it('goes on while Firehose takes nothing', async () => {
    aws = await startTestAws({ faults: [{ kind: 'throttle', action: 'PutRecordBatch' }] })
    const segment = await startSegment()
    const config = await configFor(segment.url)
    proxy = firehoseProxy({
      ...config,
      sources: config.sources.map((it) => ({
        ...it,
        destination: { ...it.destination, deliveryTimeout: 50 },
      })) as never,
    })
    const url = await listen(proxy)
    const init = {
      method: 'POST',
      headers: { authorization: basic('src_web-key') },
      body: JSON.stringify({ batch }),
    }
    expect((await fetch(`${url}/v1/batch`, init)).status).toBe(503)
    expect(await segment.sawRequests(1)).toHaveLength(1)
  })

  it('goes on with what waits when only the CDN of its settings changes', async () => {
    aws = await startTestAws()
    proxy = firehoseProxy(await configFor('http://127.0.0.1:1'))
    const init = {
      method: 'POST',
      headers: { authorization: basic('src_web-key') },
      body: JSON.stringify({ batch }),
    }
    await fetch(`${await listen(proxy)}/v1/batch`, init)
    proxy.reload(await configFor('http://127.0.0.1:1', { cdn: 'https://cdn.segment.com' }))
    expect(proxy.stats().sources['src_web']?.forwarding).toMatchObject({ queued: 1, dropped: 0 })
  })

  it('drops what waits when it is switched off, and says so', async () => {
    aws = await startTestAws()
    const lines: string[] = []
    const log = (line: unknown) => void lines.push(String(line))
    const logger = { info: log, warn: log, error: log }
    proxy = firehoseProxy({ ...(await configFor('http://127.0.0.1:1')), logger })
    const init = {
      method: 'POST',
      headers: { authorization: basic('src_web-key') },
      body: JSON.stringify({ batch }),
    }
    await fetch(`${await listen(proxy)}/v1/batch`, init)
    proxy.reload(await configFor('http://127.0.0.1:1', { enabled: false }))
    expect(lines.filter((line) => line.includes('switched off'))).toHaveLength(1)
  })

  it('stops at once when it is switched off, and starts again', async () => {
    aws = await startTestAws()
    const segment = await startSegment()
    proxy = firehoseProxy(await configFor(segment.url))
    const url = await listen(proxy)
    const send = (messageId: string) =>
      fetch(`${url}/v1/batch`, {
        method: 'POST',
        headers: { authorization: basic('src_web-key') },
        body: JSON.stringify({ batch: [{ ...batch[0], messageId }] }),
      })
    await send('a')
    await segment.sawRequests(1)
    proxy.reload(await configFor(segment.url, { enabled: false }))
    await send('b')
    expect(proxy.stats().sources['src_web']).not.toHaveProperty('forwarding')
    proxy.reload(await configFor(segment.url))
    await send('c')
    const ids = (await segment.sawRequests(2)).map(({ body }) => JSON.parse(String(body)).batch[0].messageId)
    expect(ids).toEqual(['a', 'c'])
    expect(await aws.lines('src_web')).toHaveLength(3)
  })

  it('goes on with what waits where other settings change, those of the CDN too', async () => {
    aws = await startTestAws()
    const segment = await startSegment(() => 503)
    proxy = firehoseProxy(await configFor(segment.url))
    const url = await listen(proxy)
    const headers = { authorization: basic('src_web-key') }
    await fetch(`${url}/v1/batch`, { method: 'POST', headers, body: JSON.stringify({ batch }) })
    await segment.sawRequests(1)
    proxy.reload(await configFor(segment.url, { cdn: segment.url }))
    expect(proxy.stats().sources['src_web']?.forwarding).toMatchObject({ queued: 1, dropped: 0 })
  })
})

describe('settings from the CDN of Segment', () => {
  it('are rewritten to point here, and the destinations that they name are served from here', async () => {
    aws = await startTestAws()
    const cdn = await listen((req, res) => {
      if (req.url === '/v1/projects/src_web-key/settings') {
        res.setHeader('content-type', 'application/json')
        res.end(
          JSON.stringify({
            integrations: { 'Segment.io': { apiKey: 'x', apiHost: 'api.segment.io/v1' }, Pixels: { id: 1 } },
            metrics: { sampleRate: 1, host: 'api.segment.io/v1' },
          }),
        )
        return
      }
      res.setHeader('content-type', 'application/javascript')
      res.end(`/* ${req.url} */`)
    })
    proxy = firehoseProxy(await configFor('http://127.0.0.1:1', { cdn }))
    const url = await listen(express().use('/a', proxy))
    const settings = (await (await fetch(`${url}/a/v1/projects/src_web-key/settings`)).json()) as Record<
      string,
      unknown
    >
    expect(settings).toMatchObject({
      integrations: {
        'Segment.io': {
          apiKey: 'src_web-key',
          apiHost: `${url.slice('http://'.length)}/a/v1`,
          protocol: 'http',
        },
        Pixels: { id: 1 },
      },
      metrics: { sampleRate: 0 },
    })
    const asset = await fetch(`${url}/a/next-integrations/actions/pixels/1.js`)
    expect([asset.status, await asset.text()]).toEqual([200, '/* /next-integrations/actions/pixels/1.js */'])
    expect((await fetch(`${url}/a/next-integrations/../v1/x.js`)).status).not.toBe(200)
  })
})
