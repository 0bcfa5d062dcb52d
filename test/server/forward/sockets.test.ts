import type { IncomingMessage, ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import { ByteBudget } from '../../../plugin/delivery/byte-budget.js'
import { boundedFetch } from '../../../server/forward/bounded-fetch.js'
import { Forwarder } from '../../../server/forward/forwarder.js'
import { FakeClock } from '../../fake-clock.js'
import { listen } from '../proxy-harness.js'

const MIB = 1024 * 1024
const request = {
  path: '/v1/batch',
  headers: { authorization: 'Basic a2V5Og==', 'content-encoding': 'gzip', 'content-type': 'text/plain' },
  body: gzipSync('{"batch":[]}'),
}

function forwarderTo(url: string) {
  const clock = new FakeClock()
  const budget = new ByteBudget(64 * MIB)
  const lines: string[] = []
  const log = (line: unknown) => void lines.push(String(line))
  const logger = { info: log, warn: log, error: log }
  const forwarder = new Forwarder({ url, maxQueuedBytes: 16 * MIB, budget, name: 'Website', clock, logger })
  return { clock, budget, lines, forwarder }
}

interface Exchange {
  readonly req: IncomingMessage
  readonly res: ServerResponse
}

function cutOff({ socket }: IncomingMessage): Promise<unknown> {
  return new Promise((resolve) => socket.once('close', resolve))
}

/** An upstream whose requests a test waits for one by one, and answers. */
async function manualUpstream() {
  const takers: ((exchange: Exchange) => void)[] = []
  const untaken: Exchange[] = []
  const url = await listen((req, res) => {
    const take = takers.shift()
    if (take !== undefined) take({ req, res })
    else untaken.push({ req, res })
  })
  const next = () =>
    new Promise<Exchange>((resolve) => {
      const exchange = untaken.shift()
      if (exchange !== undefined) resolve(exchange)
      else takers.push(resolve)
    })
  return { url, next }
}

describe('a forwarder, over sockets', () => {
  it('sends what it was given byte for byte, over few connections', async () => {
    const sockets = new Set<unknown>()
    const got: unknown[] = []
    const url = await listen(async (req, res) => {
      sockets.add(req.socket)
      const { method, url: path, headers } = req
      got.push({ method, path, headers, body: await buffer(req) })
      res.end('{"success":true}')
    })
    const { clock, forwarder, budget } = forwarderTo(url)
    for (let i = 0; i < 100; i++) forwarder.forward(request)
    const closed = forwarder.close({ timeout: 1000 })
    await clock.settle()
    await closed
    expect(got).toHaveLength(100)
    const headers = expect.objectContaining(request.headers)
    expect(got[99]).toEqual({ method: 'POST', path: '/v1/batch', headers, body: request.body })
    // One more for each of the four: a body is over a little before its connection is free.
    expect(sockets.size).toBeLessThanOrEqual(8)
    expect(forwarder.stats()).toMatchObject({ forwarded: 100, dropped: 0 })
    expect(budget.used).toBe(0)
  })

  it('cuts a request that hangs, and sends it again', async () => {
    const { url, next } = await manualUpstream()
    const { clock, forwarder, budget } = forwarderTo(url)
    clock.willDraw(0)
    forwarder.forward(request)
    await clock.settle()
    const { req } = await next()
    const cut = cutOff(req)
    await clock.advance(10_000)
    await cut
    const { res } = await next()
    const closed = forwarder.close({ timeout: 1000 })
    res.end()
    await closed
    expect(forwarder.stats()).toMatchObject({ forwarded: 1, retried: 1, dropped: 0 })
    expect(budget.used).toBe(0)
  })

  it('counts as forwarded what is answered 200 without an end', async () => {
    const { url, next } = await manualUpstream()
    const { clock, forwarder, budget } = forwarderTo(url)
    forwarder.forward(request)
    await clock.settle()
    const { req, res } = await next()
    const cut = cutOff(req)
    const closed = forwarder.close({ timeout: 60_000 })
    res.write('x'.repeat(MIB))
    await cut
    await closed
    expect(forwarder.stats()).toMatchObject({ forwarded: 1, retried: 0, dropped: 0 })
    expect(budget.used).toBe(0)
  })

  it('does not follow a redirect', async () => {
    const { url: elsewhere, next: nextElsewhere } = await manualUpstream()
    let wasFollowed = false
    void nextElsewhere().then(() => {
      wasFollowed = true
    })
    const url = await listen((_req, res) => res.writeHead(307, { location: elsewhere }).end())
    const { clock, forwarder, lines } = forwarderTo(url)
    forwarder.forward(request)
    const closed = forwarder.close({ timeout: 1000 })
    await clock.settle()
    await closed
    expect(lines).toEqual([
      'Forwarding for Website: dropped 1 request(s), as Segment refused them (status 307)',
    ])
    expect(wasFollowed).toBe(false)
  })

  it('cuts what is under way when it is discarded', async () => {
    const { url, next } = await manualUpstream()
    const { clock, forwarder, budget } = forwarderTo(url)
    for (let i = 0; i < 10; i++) forwarder.forward(request)
    await clock.settle()
    const { req } = await next()
    const cut = cutOff(req)
    forwarder.discard()
    await cut
    expect(forwarder.stats()).toMatchObject({ forwarded: 0, dropped: 10, queued: 0, queuedBytes: 0 })
    expect(budget.used).toBe(0)
  })
})

describe('boundedFetch', () => {
  const clock = new FakeClock()
  const limits = { fetch: globalThis.fetch, clock, timeoutMs: 1000, maxBytes: MIB }

  it('cuts a body that has no end', async () => {
    let written = 0
    let cut: Promise<unknown> = Promise.resolve()
    const url = await listen((req, res) => {
      cut = cutOff(req)
      const write = () => {
        while (!res.destroyed && res.write(Buffer.alloc(64 * 1024))) written += 64 * 1024
      }
      res.on('drain', write)
      write()
    })
    const { status, body } = await boundedFetch(url, {}, limits)
    expect({ status, body }).toEqual({ status: 200, body: undefined })
    await cut
    expect(written).toBeLessThan(64 * MIB)
  })

  it('cuts a body that inflates beyond the cap', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * MIB))
    const url = await listen((_req, res) => res.setHeader('content-encoding', 'gzip').end(bomb))
    expect((await boundedFetch(url, {}, limits)).body).toBeUndefined()
  })

  it('takes a body that just fits, in any chunks', async () => {
    const url = await listen((_req, res) => {
      res.write(Buffer.alloc(MIB - 1, 'a'))
      res.end('b')
    })
    const { body } = await boundedFetch(url, {}, limits)
    expect(body?.length).toBe(MIB)
    expect(body?.at(-1)).toBe('b'.charCodeAt(0))
  })

  it('does not take a part for the whole', async () => {
    const url = await listen((req, res) => {
      res.writeHead(200, { 'content-length': '10' })
      res.write('12345', () => req.socket.destroy())
    })
    expect(await boundedFetch(url, {}, limits)).toMatchObject({ status: 200, body: undefined })
  })

  it('has its time for the body too', async () => {
    const { url, next } = await manualUpstream()
    const answer = boundedFetch(url, {}, limits)
    const { req, res } = await next()
    const cut = cutOff(req)
    res.write('1')
    await clock.advance(1000)
    await cut
    expect(await answer.catch((error) => ({ body: undefined, error }))).toMatchObject({ body: undefined })
  })

  it('uses a connection again after a body was read', async () => {
    const sockets = new Set<unknown>()
    const url = await listen((req, res) => {
      sockets.add(req.socket)
      res.end(Buffer.alloc(MIB))
    })
    for (let i = 0; i < 20; i++) await boundedFetch(url, {}, limits)
    // A body is over a little before its connection is free.
    expect(sockets.size).toBeLessThanOrEqual(2)
  })
})
