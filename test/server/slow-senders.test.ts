import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import {
  connect as connectHttp2,
  createServer as createHttp2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2'
import { type AddressInfo, connect, type NetConnectOpts, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from '@jest/globals'
import express from 'express'
import { trustOf } from '../../server/http/client-address.js'
import type { RequestEntry } from '../../server/http/request-entry.js'
import { FakeClock } from '../fake-clock.js'
import { APP_KEY, basic, type HarnessParts, listen, proxyHarness, WEB_KEY } from './proxy-harness.js'
import { tempDir } from './temp-dir.js'

const MIB = 1024 * 1024
/** What was reported: 67 MB over 64 connections, of bodies that never end. */
const CONNECTIONS = 64
const SENT_BYTES = MIB

/** Resolves when so many bytes of bodies have come. */
class Arrival {
  #bytes = 0
  #waiting: { readonly bytes: number; readonly resolve: () => void }[] = []

  watch(req: IncomingMessage): void {
    req.on('data', (chunk: Buffer) => {
      this.#bytes += chunk.length
      for (const { bytes, resolve } of this.#waiting) if (this.#bytes >= bytes) resolve()
    })
  }

  of(bytes: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ bytes, resolve })
      if (this.#bytes >= bytes) resolve()
    })
  }
}

const sockets: Socket[] = []
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
})

/** A connection on which so much of a body is sent, and no more. */
function sendHalf(
  at: NetConnectOpts,
  headers: Readonly<Record<string, string>>,
  bytes = SENT_BYTES,
): { readonly socket: Socket; readonly answer: () => string } {
  const socket = connect(at)
  sockets.push(socket)
  socket.on('error', () => {})
  let answer = ''
  socket.on('data', (data) => {
    answer += data
  })
  const lines = Object.entries({ Host: 'x', 'Content-Length': String(2 * bytes), ...headers })
  socket.write(
    `POST /v1/batch HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`,
  )
  socket.write(Buffer.alloc(bytes, ' '))
  return { socket, answer: () => answer }
}

async function start(parts: HarnessParts = {}) {
  const harness = proxyHarness(parts)
  const arrival = new Arrival()
  const handler: RequestListener = (req, res) => {
    arrival.watch(req)
    harness.proxy(req, res)
  }
  const url = await listen(handler)
  const at = { port: Number(new URL(url).port), host: '127.0.0.1' }
  return { ...harness, arrival, handler, url, at }
}

const track = { type: 'track', event: 'E', userId: 'u1' }

/** A batch of so many bytes or a little more. */
function batchOf(bytes: number, writeKey?: string): string {
  return JSON.stringify({ writeKey, batch: [{ ...track, properties: { text: 'x'.repeat(bytes) } }] })
}

const honest: readonly (readonly [string, Readonly<Record<string, string>>, string])[] = [
  ['a page, with its key in the body', {}, batchOf(2_000, WEB_KEY)],
  ['a page that sends a batch', {}, batchOf(400_000, WEB_KEY)],
  ['a server', { authorization: basic(APP_KEY) }, batchOf(2_000)],
  ['a server that sends a batch', { authorization: basic(APP_KEY) }, batchOf(400_000)],
  ['a server of the source whose key is in every page', { authorization: basic(WEB_KEY) }, batchOf(400_000)],
]

async function statusesOfHonest(url: string, times = 4): Promise<number[]> {
  const sent = Array.from({ length: times }, () => honest)
    .flat()
    .map(([_name, headers, body]) => fetch(`${url}/v1/batch`, { method: 'POST', headers, body }))
  return (await Promise.all(sent)).map(({ status }) => status)
}

describe('somebody who sends half bodies over many connections', () => {
  it.each<[string, (i: number) => Readonly<Record<string, string>>, HarnessParts]>([
    ['without a key', () => ({}), {}],
    ['with a key that is none', () => ({ authorization: basic('mistyped') }), {}],
    ['with the public key of a source', () => ({ authorization: basic(WEB_KEY) }), {}],
    [
      'with the keys of all sources, and without',
      (i) => [{ authorization: basic(WEB_KEY) }, { authorization: basic(APP_KEY) }, {}][i % 3] ?? {},
      {},
    ],
    [
      'from as many addresses, by a proxy that is believed',
      (i) => ({ 'X-Forwarded-For': `198.51.100.${i}` }),
      { more: { trust: trustOf('loopback') } },
    ],
    [
      'from as many addresses of one IPv6 network',
      (i) => ({ 'X-Forwarded-For': `2001:db8::${i.toString(16)}` }),
      { more: { trust: trustOf('loopback') } },
    ],
  ])('turns away nobody else: %s', async (_name, headersOf, parts) => {
    const { url, at, arrival, budget, proxy } = await start(parts)
    const attackers = Array.from({ length: CONNECTIONS }, (_, i) => sendHalf(at, headersOf(i)))
    await arrival.of(CONNECTIONS * SENT_BYTES)
    expect(await statusesOfHonest(url)).toEqual(Array.from({ length: 20 }, () => 200))
    expect(proxy.readiness()).toMatchObject({ ready: true })
    expect(proxy.stats().receivingBytes).toBe(budget.used)
    expect(budget.used).toBeLessThanOrEqual(0.75 * budget.capacity)
    for (const { socket } of attackers) socket.destroy()
    while (budget.used > 0) await new Promise(setImmediate)
    expect(proxy.stats().receivingBytes).toBe(0)
  })

  it('turns away nobody else where the connections come by a Unix socket, which has no address', async () => {
    const { handler, url, arrival, budget } = await start()
    const path = join(tempDir(), 'socket')
    const server = createServer(handler).listen(path)
    await once(server, 'listening')
    for (let i = 0; i < CONNECTIONS; i++) sendHalf({ path }, {})
    await arrival.of(CONNECTIONS * SENT_BYTES)
    expect(budget.used).toBeLessThanOrEqual(0.25 * budget.capacity)
    expect(await statusesOfHonest(url)).toEqual(Array.from({ length: 20 }, () => 200))
    server.closeAllConnections()
    server.close()
  })

  it('is told to send again later where memory was taken away', async () => {
    const { at, arrival, lines, proxy } = await start()
    const attackers = Array.from({ length: CONNECTIONS }, () => sendHalf(at, {}))
    await arrival.of(CONNECTIONS * SENT_BYTES)
    const answered = attackers.filter(({ answer }) => answer() !== '')
    for (const { answer } of answered) {
      expect(answer()).toMatch(/^HTTP\/1\.1 503 [\s\S]*\r\nRetry-After: 5\r\n[\s\S]*"memory_full"/)
    }
    expect(answered.length).toBeGreaterThan(CONNECTIONS / 2)
    expect(proxy.stats().requestsByStatus['503']).toBeGreaterThan(CONNECTIONS / 2)
    expect(lines[0]).toMatch(/^Turned away 1 request\(s\) with 503 memory_full: /)
  })
})

describe('a body that comes slowly', () => {
  /** Lets the ticks of so many seconds pass. */
  const seconds = (clock: FakeClock, count: number) => clock.advance(count * 1_000)

  it.each([
    ['without a key', {}],
    ['with one', { authorization: basic(WEB_KEY) }],
    ['over a connection that would end anyway', { Connection: 'close' }],
  ])('is cut off, and its memory is free: %s', async (_name, headers) => {
    const clock = new FakeClock()
    const entries: RequestEntry[] = []
    const onRequest = (entry: RequestEntry) => void entries.push(entry)
    const { at, arrival, budget, proxy, lines } = await start({ clock, onRequest })
    const { socket, answer } = sendHalf(at, headers)
    const closed = once(socket, 'close')
    await arrival.of(SENT_BYTES)
    expect(budget.used).toBe(SENT_BYTES)
    await seconds(clock, 10)
    expect(budget.used).toBe(SENT_BYTES)
    await seconds(clock, 10)
    expect(budget.used).toBe(0)
    await closed
    // SDKs of phones let go of what is answered 408, and send again what is not answered.
    expect(answer()).toBe('')
    expect(entries).toMatchObject([{ status: 408, code: 'request_timeout' }])
    expect(lines).toEqual([expect.stringMatching(/^Turned away 1 request\(s\).* with 408 request_timeout: /)])
    expect(proxy.stats()).toMatchObject({
      requests: { accepted: 0, refused: 0, deferred: 1 },
      requestsByStatus: { 408: 1 },
    })
  })

  it('is cut off under Express too, without any setting of its server', async () => {
    const clock = new FakeClock()
    const { handler, arrival, budget } = await start({ clock })
    const url = await listen(express().use('/analytics', handler))
    const socket = connect(Number(new URL(url).port), '127.0.0.1').resume()
    const closed = once(socket, 'close')
    socket.write(
      'POST /analytics/v1/batch HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{"\r\n',
    )
    await arrival.of(2)
    await seconds(clock, 10)
    await closed
    expect(budget.used).toBe(0)
  })

  it('is cut off over HTTP/2, and the other requests of its connection go on', async () => {
    const clock = new FakeClock()
    const harness = proxyHarness({ clock })
    const arrival = new Arrival()
    const handler = (req: Http2ServerRequest, res: Http2ServerResponse) => {
      const [asHttp1, answer] = [req, res] as unknown as Parameters<RequestListener>
      arrival.watch(asHttp1)
      harness.proxy(asHttp1, answer)
    }
    const server = createHttp2Server(handler).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const client = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    const slow = client.request({ ':method': 'POST', ':path': '/v1/batch' }).on('error', () => {})
    const closed = new Promise<void>((resolve) => slow.once('close', () => resolve()))
    slow.write('{"batch":')
    await arrival.of(9)
    await seconds(clock, 10)
    await closed
    expect(harness.budget.used).toBe(0)
    const next = client.request({ ':method': 'POST', ':path': '/v1/batch' })
    const answered = once(next, 'response')
    next.end(batchOf(10, WEB_KEY))
    expect((await answered)[0]).toMatchObject({ ':status': 200 })
    client.destroy()
    server.close()
  })

  it('is taken from a phone with 20 kbit/s that pauses for seconds', async () => {
    const clock = new FakeClock()
    const { at, arrival, web } = await start({ clock })
    const body = Buffer.from(batchOf(200_000, WEB_KEY))
    const socket = connect(at)
    sockets.push(socket)
    socket.write(`POST /v1/batch HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`)
    const perBurst = 10_000
    for (let sent = 0; sent < body.length; sent += perBurst) {
      socket.write(body.subarray(sent, sent + perBurst))
      await arrival.of(Math.min(sent + perBurst, body.length))
      if (sent + perBurst < body.length) await seconds(clock, 9)
    }
    const [answer] = await once(socket, 'data')
    expect(String(answer)).toMatch(/^HTTP\/1\.1 200 /)
    expect(web.delivered).toHaveLength(1)
  })

  it('is not cut off while what is whole waits for its delivery', async () => {
    const clock = new FakeClock()
    const { url, web } = await start({ clock })
    const asked = new Promise<void>((called) => {
      web.outcome = () => {
        called()
        return new Promise(() => {})
      }
    })
    const answer = fetch(`${url}/v1/batch`, { method: 'POST', body: batchOf(10, WEB_KEY) })
    await asked
    await seconds(clock, 60)
    // It is told that its delivery takes too long.
    expect((await answer).status).toBe(503)
  })
})
