import { once } from 'node:events'
import { type IncomingMessage, request, type ServerResponse } from 'node:http'
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2'
import { type AddressInfo, connect } from 'node:net'
import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import express from 'express'
import { FakeClock } from '../fake-clock.js'
import { basic, listen, proxyHarness, WEB_KEY } from './proxy-harness.js'

/** 200 KB that come in several pieces, with characters of several bytes in most places where these are cut. */
const event = { event: 'Größe 📏'.repeat(15_000), userId: 'u1' }
const body = JSON.stringify(event)

type Change = (req: IncomingMessage, res: ServerResponse) => void

/** A host app that has done something to the request or the answer before this middleware takes over. */
async function hostThat(change: Change, harness = proxyHarness()) {
  let isChanged = true
  const url = await listen((req, res) => {
    if (isChanged) change(req, res)
    isChanged = false
    harness.proxy(req, res)
  })
  return { ...harness, url }
}

/** The status of the answer, or that the connection was cut. */
async function post(url: string): Promise<number | 'cut'> {
  const headers = { authorization: basic(WEB_KEY) }
  try {
    const res = await fetch(`${url}/v1/track`, { method: 'POST', headers, body })
    await res.text()
    return res.status
  } catch {
    return 'cut'
  }
}

const fail = (): never => {
  throw new Error('of the host app')
}

const failing = (...names: string[]): Change => {
  return (_req, res) => Object.assign(res, Object.fromEntries(names.map((name) => [name, fail])))
}

describe('a host app', () => {
  it.each<[string, Change]>([
    ['sets an encoding', (req) => req.setEncoding('utf8')],
    ['sets an encoding that keeps all bytes', (req) => req.setEncoding('hex')],
    ['pauses the request', (req) => req.pause()],
    ['lets the request flow', (req) => req.resume()],
    ['listens to the request', (req) => req.on('data', () => {}).on('readable', () => {})],
    ['takes away all listeners of the request', (req) => req.removeAllListeners()],
    ['takes away all listeners of the answer', (_req, res) => res.removeAllListeners()],
    ['takes away the error listeners of the socket', (req) => req.socket.removeAllListeners('error')],
  ])('that %s has its events delivered', async (_what, change) => {
    const { url, web, lines } = await hostThat(change)
    expect([await post(url), await post(url)]).toEqual([200, 200])
    expect(web.delivered).toMatchObject([event, event])
    expect(lines).toEqual([])
  })

  it.each<[string, Change, number | 'cut']>([
    ['makes writeHead throw', failing('writeHead'), 500],
    ['makes setHeader and getHeader throw', failing('setHeader', 'getHeader', 'hasHeader'), 500],
    ['makes end throw', failing('end'), 'cut'],
    ['makes all of them throw', failing('writeHead', 'setHeader', 'write', 'end', 'destroy', 'on'), 500],
    ['takes writeHead away', (_req, res) => Object.assign(res, { writeHead: undefined }), 500],
    ['freezes the answer', (_req, res) => Object.freeze(res), 500],
    ['takes the methods of the answer away', (_req, res) => Object.setPrototypeOf(res, null), 500],
    ['makes headersSent throw', (_req, res) => getterThatFails(res, 'headersSent'), 'cut'],
    [
      'makes the listeners of the request throw',
      (req) => Object.assign(req, { on: fail, once: fail }),
      'cut',
    ],
    ['takes the headers away', (req) => getter(req, 'headers', undefined), 500],
    ['makes the URL an object', (req) => Object.assign(req, { url: new URL('http://x/v1/track') }), 500],
    ['takes the socket away', (req) => getter(req, 'socket', undefined), 500],
    [
      'takes the socket away, and writeHead',
      (req, res) => {
        getter(req, 'socket', undefined)
        Object.assign(res, { writeHead: undefined })
      },
      'cut',
    ],
    ['destroys the request', (req) => void req.destroy(), 'cut'],
    ['destroys the request with an error', (req) => void req.destroy(new Error('x')), 'cut'],
    ['destroys the answer', (_req, res) => void res.destroy(new Error('x')), 'cut'],
    ['destroys the socket', (req) => void req.socket.destroy(), 'cut'],
  ])('that %s loses that request alone', async (_what, change, expected) => {
    const { url, web, lines } = await hostThat(change)
    expect(await post(url)).toBe(expected)
    expect(await post(url)).toBe(200)
    expect(web.delivered.at(-1)).toMatchObject(event)
    // Those that are gone are no concern of the log.
    if (expected === 500) expect(lines).not.toEqual([])
  })

  it.each<[string, Change]>([
    ['answers all requests before', (_req, res) => res.end('answered')],
    ['answers, and takes the answer back', (_req, res) => res.end('answered').removeAllListeners()],
  ])('that %s is told so in the log', async (_what, change) => {
    const { url, lines } = await hostThat(change)
    expect(await post(url)).toBe(200)
    await expectLine(lines, /^Request id-1 failed: .*has answered, and yet called the next/)
  })

  it.each<[string, Change]>([
    ['keeps answers back', (_req, res) => Object.assign(res, { end: () => res })],
    ['begins an answer and never ends it', (_req, res) => void res.writeHead(200).write('{')],
  ])('that %s leaves nobody waiting', async (_what, change) => {
    const clock = new FakeClock()
    const { url, lines } = await hostThat(change, proxyHarness({ clock }))
    const answered = post(url)
    while (clock.timers === 0) await turnOfTheLoop()
    await clock.advance(10_000)
    expect(await answered).toBe('cut')
    expect(lines.at(-1)).toMatch(
      /^Request id-1 was answered, and something before this .* kept the answer back$/,
    )
  })

  it('whose answer is late is left alone', async () => {
    const clock = new FakeClock()
    const change: Change = (_req, res) => {
      const end = res.end.bind(res)
      const late = (text: string) => {
        clock.after(9_000, () => end(text))
        return res
      }
      Object.assign(res, { end: late })
    }
    const { url, lines } = await hostThat(change, proxyHarness({ clock }))
    const answered = post(url)
    while (clock.timers === 0) await turnOfTheLoop()
    await clock.advance(10_000)
    expect(await answered).toBe(200)
    expect(lines).toEqual([])
  })

  it('with Express and frozen locals has its events delivered', async () => {
    const { proxy, web } = proxyHarness()
    const app = express().use((req, res, next) => {
      Object.freeze(res.locals)
      Object.freeze(req.query)
      next()
    })
    expect(await post(await listen(app.use(proxy)))).toBe(200)
    expect(web.delivered).toMatchObject([event])
  })

  it('that takes the listeners of a socket away outlives its reset', async () => {
    let arrive = () => {}
    const arrived = new Promise<void>((resolve) => {
      arrive = resolve
    })
    let closed: Promise<unknown> | undefined
    const { url, web } = await hostThat((req) => {
      req.socket.removeAllListeners('error')
      closed = new Promise((resolve) => req.socket.once('close', resolve))
      arrive()
    })
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.write('POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{')
    await arrived
    socket.resetAndDestroy()
    await closed
    expect(await post(url)).toBe(200)
    expect(web.delivered).toHaveLength(1)
  })

  it('that takes the listeners of an answer away leaves no later request waiting', async () => {
    const { url } = await hostThat((_req, res) => res.removeAllListeners())
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.write('POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}')
    const [answer] = await once(socket, 'data')
    expect(String(answer)).toMatch(/^HTTP\/1.1 401 /)
    await once(socket, 'close')
  })

  it('that fails where it is told of requests, later too, fails no request', async () => {
    const onRequest = () => Promise.reject(new Error('of the host app')) as unknown as undefined
    const { proxy } = proxyHarness({ onRequest })
    expect(await post(await listen(proxy))).toBe(200)
    await turnOfTheLoop()
  })

  it('whose log fails, later too, fails no request', async () => {
    const reject = () => Promise.reject(new Error('of the host app')) as unknown as undefined
    const { proxy } = proxyHarness({ logger: { info: reject, warn: reject, error: reject } })
    const url = await listen(proxy)
    const res = await fetch(`${url}/v1/track`, { method: 'POST', body: '{}' })
    expect(res.status).toBe(401)
    await turnOfTheLoop()
  })
})

describe('a host app of HTTP/2', () => {
  it.each<[string, Change, number | 'cut']>([
    ['sets an encoding', (req) => req.setEncoding('utf8'), 200],
    ['pauses the request', (req) => req.pause(), 200],
    ['takes away all listeners of the answer', (_req, res) => res.removeAllListeners(), 200],
    ['makes writeHead throw', failing('writeHead'), 'cut'],
    ['makes end throw', failing('end'), 'cut'],
  ])('that %s keeps the connection for other requests', async (_what, change, expected) => {
    const { proxy, web } = proxyHarness()
    let isChanged = true
    const server = createHttp2Server((req, res) => {
      const [req1, res1] = [req, res] as unknown as [IncomingMessage, ServerResponse]
      if (isChanged) change(req1, res1)
      isChanged = false
      proxy(req1, res1)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    const post = () => {
      const headers = { ':method': 'POST', ':path': '/v1/track', authorization: basic(WEB_KEY) }
      const stream = session.request(headers)
      stream.end(body)
      return new Promise<number | 'cut'>((resolve) => {
        let status = 0
        stream.on('response', (answer) => {
          status = Number(answer[':status'])
        })
        stream.on('error', () => resolve('cut'))
        stream.resume().on('end', () => setImmediate(() => resolve(status)))
      })
    }
    expect([await post(), await post()]).toEqual([expected, 200])
    expect(web.delivered).toMatchObject([event, event])
    session.close()
    await new Promise((resolve) => server.close(resolve))
  })
})

describe('a refused request whose connection is to be closed', () => {
  it('is answered though the body that it announces never comes', async () => {
    const clock = new FakeClock()
    const { proxy } = proxyHarness({ clock })
    const { port } = new URL(await listen(proxy))
    const headers = { authorization: basic(WEB_KEY), 'content-length': 6_000_000, connection: 'close' }
    const req = request({ port, path: '/v1/track', method: 'POST', headers })
    req.write('{')
    const answered = once(req, 'response')
    while (clock.timers === 0) await turnOfTheLoop()
    await clock.advance(4_000)
    const [res] = (await answered) as [IncomingMessage]
    expect(res.statusCode).toBe(400)
    req.destroy()
  })
})

function getter(of: object, name: string, value: unknown): void {
  Object.defineProperty(of, name, { get: () => value })
}

function getterThatFails(of: object, name: string): void {
  Object.defineProperty(of, name, { get: fail })
}

/** A line may follow the answer that it is about. */
async function expectLine(lines: readonly string[], pattern: RegExp): Promise<void> {
  while (lines.length === 0) await turnOfTheLoop()
  expect(lines).toEqual([expect.stringMatching(pattern)])
}
