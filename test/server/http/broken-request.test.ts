import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { afterEach, describe, expect, it } from '@jest/globals'
import express from 'express'
import { answerBrokenRequests } from '../../../server/http/broken-request.js'
import { serve } from '../../../server/serve.js'
import { makeCertificate } from '../browser/tls-front.js'
import type { FakeDestination } from '../fake-destination.js'
import { basic, proxyHarness, WEB_KEY } from '../proxy-harness.js'

const closers: (() => unknown)[] = []

afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()))
})

type Harness = ReturnType<typeof proxyHarness>

/** Makes a connection. It may be closed by half. */
type Connect = () => Socket

function to(port: number): Connect {
  return () => connect({ port, host: '127.0.0.1', allowHalfOpen: true })
}

async function listenTo(server: Server | HttpsServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => {
    server.close()
    server.closeAllConnections()
  })
  return (server.address() as AddressInfo).port
}

async function served({ proxy }: Harness): Promise<Connect> {
  const server = await serve({ proxy, host: '127.0.0.1', port: 0 })
  closers.push(() => server.close({ timeout: 0 }))
  return to(Number(new URL(server.url).port))
}

async function withinExpress({ proxy }: Harness): Promise<Connect> {
  const server = createServer(express().use(proxy))
  answerBrokenRequests(server)
  return to(await listenTo(server))
}

async function withinNode({ proxy }: Harness): Promise<Connect> {
  const server = createServer(proxy)
  answerBrokenRequests(server)
  answerBrokenRequests(server)
  return to(await listenTo(server))
}

const certificate = makeCertificate()

async function withinTls({ proxy }: Harness): Promise<Connect> {
  const server = createHttpsServer({ ...certificate }, proxy)
  answerBrokenRequests(server)
  const port = await listenTo(server)
  const options = { port, host: '127.0.0.1', rejectUnauthorized: false, allowHalfOpen: true }
  return () => connectTls(options)
}

const SERVERS: [string, (harness: Harness) => Promise<Connect>][] = [
  ['serve', served],
  ['Express', withinExpress],
  ['node:http', withinNode],
  ...(certificate === undefined ? [] : [['node:https', withinTls] as [string, typeof withinTls]]),
]

const event = JSON.stringify({ event: 'E', userId: 'u1' })

/** A request with this body, and a Content-Length that may be wrong. */
function requestOf(body: string, { length = Buffer.byteLength(body), headers = '' } = {}): string {
  const head = `POST /v1/track HTTP/1.1\r\nHost: x\r\nAuthorization: ${basic(WEB_KEY)}\r\n${headers}`
  return `${head}Content-Length: ${length}\r\n\r\n${body}`
}

/** A connection, and all that came over it. */
function open(connectTo: Connect): { socket: Socket; closed: Promise<string>; error(): unknown } {
  const socket = connectTo()
  const pieces: Buffer[] = []
  let failed: unknown
  socket.on('data', (piece: Buffer) => pieces.push(piece))
  socket.on('error', (error) => {
    failed = error
  })
  // As a sender that is told of the end.
  socket.on('end', () => socket.end())
  const closed = once(socket, 'close').then(() => Buffer.concat(pieces).toString())
  return { socket, closed, error: () => failed }
}

function statusesIn(answer: string): string[] {
  return [...answer.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status = '']) => status)
}

/** Holds deliveries until `deliver` is called. */
function held(web: FakeDestination) {
  let deliver = () => {}
  const asked = new Promise<void>((called) => {
    web.outcome = () =>
      new Promise((resolve) => {
        deliver = () => resolve({ status: 'delivered' })
        called()
      })
  })
  return { asked, deliver: () => deliver() }
}

describe.each(SERVERS)('a whole request to %s', (_name, start) => {
  it.each([
    ['a stray byte', 'x'],
    ['the rest of a JSON text', '"}]}'],
    ['a line that is no request', 'garbage and more of it\r\n\r\n'],
    ['a request whose headers are broken', 'POST /v1/track HTTP/1.1\r\nHo st: x\r\n\r\n'],
  ])('is answered, and the connection closed, where %s follows it', async (_what, rest) => {
    const harness = proxyHarness()
    const { socket, closed, error } = open(await start(harness))
    socket.write(requestOf(event) + rest)
    const answer = await closed
    expect(statusesIn(answer)).toEqual(['200'])
    expect(answer).toMatch(/\r\nConnection: close\r\n[\s\S]*\{"success":true\}$/)
    expect(error()).toBeUndefined()
    expect(harness.web.delivered).toHaveLength(1)
  })

  it('is answered where garbage comes while it is being delivered', async () => {
    const harness = proxyHarness()
    const { asked, deliver } = held(harness.web)
    const { socket, closed } = open(await start(harness))
    socket.write(requestOf(event))
    await asked
    await new Promise<void>((written) => socket.write('garbage\r\n\r\n', () => written()))
    socket.write('and more')
    deliver()
    expect(statusesIn(await closed)).toEqual(['200'])
  })

  it('is answered where its sender closes its half of the connection', async () => {
    const harness = proxyHarness()
    const { asked, deliver } = held(harness.web)
    let halfClosed: Promise<unknown> | undefined
    const proxy: typeof harness.proxy = Object.assign((...given: Parameters<typeof harness.proxy>) => {
      halfClosed = once(given[0].socket, 'end')
      harness.proxy(...given)
    }, harness.proxy)
    const { socket, closed, error } = open(await start({ ...harness, proxy }))
    socket.end(requestOf(event))
    await asked
    await halfClosed
    deliver()
    expect(await closed).toMatch(/^HTTP\/1.1 200 [\s\S]*\{"success":true\}$/)
    expect(error()).toBeUndefined()
  })

  it('is answered in its turn where several are pipelined, and garbage follows them', async () => {
    const harness = proxyHarness()
    const { socket, closed } = open(await start(harness))
    socket.write(`${requestOf(event)}${requestOf('{}')}${requestOf(event)}garbage`)
    const answer = await closed
    expect(statusesIn(answer)).toEqual(['200', '400', '200'])
    expect(answer.match(/\r\nConnection: close\r\n/g)).toHaveLength(1)
  })

  it('is answered before one behind it whose body is broken', async () => {
    const harness = proxyHarness()
    const { asked, deliver } = held(harness.web)
    const { socket, closed } = open(await start(harness))
    const chunked = requestOf('').replace('Content-Length: 0', 'Transfer-Encoding: chunked')
    socket.write(`${requestOf(event)}${chunked}5\r\n{"eve\r\nno chunk`)
    await asked
    deliver()
    const answer = await closed
    expect(statusesIn(answer)).toEqual(['200', '400'])
    expect(answer).toContain('"malformed_request"')
  })

  it('is answered after 100 Continue, whatever follows it', async () => {
    const harness = proxyHarness()
    const { socket, closed } = open(await start(harness))
    const [head, body] = requestOf(event, { headers: 'Expect: 100-continue\r\n' }).split('\r\n\r\n')
    socket.write(`${head}\r\n\r\n`)
    const [first] = await once(socket, 'data')
    expect(String(first)).toBe('HTTP/1.1 100 Continue\r\n\r\n')
    socket.write(`${body}x`)
    expect(statusesIn(await closed)).toEqual(['100', '200'])
  })

  it('may be followed by an empty line', async () => {
    const harness = proxyHarness()
    const { socket, closed } = open(await start(harness))
    socket.write(`${requestOf(event)}\r\n${requestOf(event, { headers: 'Connection: close\r\n' })}`)
    expect(statusesIn(await closed)).toEqual(['200', '200'])
  })
})

describe.each(SERVERS)('a wrong Content-Length, to %s,', (_name, start) => {
  it.each([
    ['a little', 'é'],
    ['megabytes', 'é'.repeat(1_500_000)],
  ])('that is too small by %s, as of characters, is answered 400', async (_what, text) => {
    const harness = proxyHarness()
    const { socket, closed, error } = open(await start(harness))
    const body = JSON.stringify({ event: text, userId: 'u1' })
    socket.write(requestOf(body, { length: body.length }))
    const answer = await closed
    expect(statusesIn(answer)).toEqual(['400'])
    expect(answer).toMatch(/"malformed_json".*\}$/)
    expect(error()).toBeUndefined()
  })

  it('that is too small is answered 400 though its sender goes on sending', async () => {
    const { socket, closed, error } = open(await start(proxyHarness()))
    socket.removeAllListeners('end')
    const body = JSON.stringify({ event: 'é'.repeat(1_000), userId: 'u1' })
    socket.write(requestOf(body, { length: body.length }))
    await once(socket, 'data')
    await new Promise((written) => socket.write('é'.repeat(1_000_000), written))
    await new Promise((written) => socket.end('é', () => written(undefined)))
    expect(statusesIn(await closed)).toEqual(['400'])
    expect(error()).toBeUndefined()
  })

  it('that is too large is answered 400 when its sender closes its half', async () => {
    const harness = proxyHarness()
    const { socket, closed, error } = open(await start(harness))
    socket.end(requestOf(event, { length: event.length + 10 }))
    const answer = await closed
    expect(statusesIn(answer)).toEqual(['400'])
    expect(answer).toMatch(/\r\nContent-Type: application\/json[\s\S]*Content-Length is to be the bytes/)
    expect(error()).toBeUndefined()
    while (harness.budget.used > 0) await turnOfTheLoop()
  })
})

describe.each(SERVERS)('a connection of %s', (_name, start) => {
  it('is closed without a word where a stray byte comes after the answer: it would be taken for the next', async () => {
    const harness = proxyHarness()
    const { socket, closed } = open(await start(harness))
    socket.write(requestOf(event))
    await once(socket, 'data')
    socket.write('}')
    expect(statusesIn(await closed)).toEqual(['200'])
  })

  it('has its answer where a later request is none', async () => {
    const harness = proxyHarness()
    const { socket, closed } = open(await start(harness))
    socket.write(requestOf(event))
    await once(socket, 'data')
    socket.write(`GET /v1/pixel/track?data=${'x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`)
    expect(statusesIn(await closed)).toEqual(['200', '431'])
  })
})

it('reads on after the answer, so that the connection is not reset under it', async () => {
  const { proxy } = proxyHarness()
  let served: Socket | undefined
  const server = createServer((req, res) => {
    served = req.socket
    proxy(req, res)
  })
  answerBrokenRequests(server)
  const { socket, closed } = open(to(await listenTo(server)))
  socket.removeAllListeners('end')
  const request = requestOf('{"event":"é"}', { length: 5 })
  socket.write(request)
  await once(socket, 'data')
  for (let i = 0; i < 3; i++) {
    const before = served?.bytesRead ?? 0
    socket.write('more of it')
    while (served?.bytesRead === before && !served.destroyed) await turnOfTheLoop()
  }
  socket.end()
  await closed
  expect(served?.bytesRead).toBe(Buffer.byteLength(request) + 30)
})

describe('without answerBrokenRequests', () => {
  it('the log tells what cut the answer off, and how to mend it', async () => {
    const harness = proxyHarness()
    const { asked, deliver } = held(harness.web)
    const { socket, closed } = open(to(await listenTo(createServer(harness.proxy))))
    socket.write(`${requestOf(event)}x`)
    await asked
    expect(statusesIn(await closed)).toEqual(['400'])
    deliver()
    await harness.proxy.close()
    expect(harness.lines).toEqual([
      'Node.js answered 1 request(s) with 400 in place of this middleware, because bytes follow them that are no HTTP: call answerBrokenRequests(server)',
    ])
  })
})
