import { once } from 'node:events'
import { createServer, get } from 'node:http'
import { connect } from 'node:net'
import { afterEach, describe, expect, it, jest } from '@jest/globals'
import { type RunningServer, serve } from '../../server/serve.js'
import { basic, listen, proxyHarness, WEB_KEY } from './proxy-harness.js'

const running: RunningServer[] = []

async function start(harness = proxyHarness()) {
  const server = await serve({ proxy: harness.proxy, host: '127.0.0.1', port: 0 })
  running.push(server)
  return { ...harness, server }
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close({ timeout: 0 })))
})

const event = JSON.stringify({ event: 'E', userId: 'u1' })
const post = (url: string) =>
  fetch(`${url}/v1/track`, { method: 'POST', headers: { authorization: basic(WEB_KEY) }, body: event })

describe('serve', () => {
  it('takes events at /v1', async () => {
    const { server, web } = await start()
    expect((await post(server.url)).status).toBe(200)
    expect(web.delivered).toHaveLength(1)
  })

  it('answers all else with a JSON 404 that does not name Express', async () => {
    const { server } = await start()
    for (const path of ['/', '/health', '/v1', '/v1/x', '/%']) {
      const res = await fetch(server.url + path)
      expect(res.status).toBe(404)
      expect(await res.json()).toMatchObject({ code: 'not_found' })
      expect(res.headers.get('x-powered-by')).toBeNull()
    }
  })

  it('tells whether it is alive, and whether it delivers', async () => {
    const { server, web, app } = await start()
    const ask = async (path: string) => {
      const res = await fetch(server.url + path)
      return [res.status, res.headers.get('cache-control'), await res.json()]
    }
    expect(await ask('/healthz')).toEqual([200, 'no-store', { status: 'ok' }])
    const readiness = { sources: 2, parkedSources: 0, bufferedShare: 0 }
    expect(await ask('/readyz')).toEqual([200, 'no-store', { status: 'ok', ...readiness }])
    web.parked = true
    app.parked = true
    expect(await ask('/readyz')).toEqual([
      503,
      'no-store',
      { status: 'unavailable', ...readiness, reason: 'all_streams_parked', parkedSources: 2 },
    ])
    expect((await ask('/healthz'))[0]).toBe(200)
  })

  it.each([
    ['NONSENSE\r\n\r\n', 400, 'malformed_request'],
    [`GET /v1/pixel/track?data=${'x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 431, 'headers_too_large'],
  ])('answers in JSON what is no request: %.10s', async (text, status, code) => {
    const { server } = await start()
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
    socket.write(text)
    let answer = ''
    socket.on('data', (data) => {
      answer += data
    })
    await once(socket, 'close')
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} .*\r\nContent-Type: application/json`))
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toMatchObject({ code })
  })

  it('takes headers up to the size that is set, and answers 431 beyond it', async () => {
    const { proxy, web } = proxyHarness()
    const sent = async (maxHeaderBytes: number | undefined, cookieBytes: number) => {
      const server = await serve({ proxy, host: '127.0.0.1', port: 0, maxHeaderBytes })
      running.push(server)
      const headers = { authorization: basic(WEB_KEY), cookie: 'c'.repeat(cookieBytes) }
      const res = await fetch(`${server.url}/v1/track`, { method: 'POST', headers, body: event })
      return [res.status, ((await res.json()) as { code?: string }).code]
    }
    expect(await sent(undefined, 10_000)).toEqual([200, undefined])
    expect(await sent(undefined, 20_000)).toEqual([431, 'headers_too_large'])
    expect(await sent(32_768, 30_000)).toEqual([200, undefined])
    expect(await sent(32_768, 40_000)).toEqual([431, 'headers_too_large'])
    expect(await sent(2_048, 3_000)).toEqual([431, 'headers_too_large'])
    expect(web.delivered).toHaveLength(2)
  })

  it.each([
    ['without a Host', ''],
    ['with an expectation that nobody knows', 'Host: x\r\nExpect: miracles\r\n'],
  ])('takes a request %s', async (_, headers) => {
    const { server, web } = await start()
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
    const head = `POST /v1/track HTTP/1.1\r\n${headers}Authorization: ${basic(WEB_KEY)}\r\nConnection: close\r\n`
    socket.write(`${head}Content-Length: ${event.length}\r\n\r\n${event}`)
    let answer = ''
    socket.on('data', (data) => {
      answer += data
    })
    await once(socket, 'close')
    expect(answer).toMatch(/^HTTP\/1\.1 200 .*{"success":true}$/s)
    expect(web.delivered).toHaveLength(1)
  })

  it('cuts off who sends a body too slowly, and frees the memory that it held', async () => {
    const { proxy, budget } = proxyHarness()
    const receiveLimits = { headersTimeout: 20, requestTimeout: 20, connectionsCheckingInterval: 5 }
    const server = await serve({ proxy, host: '127.0.0.1', port: 0, receiveLimits })
    running.push(server)
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
    socket.write('POST /v1/batch HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"batch":')
    const [answer] = await once(socket, 'data')
    expect(String(answer)).toContain('408 Request Timeout')
    await once(socket, 'close')
    expect(budget.used).toBe(0)
  })

  it('answers JSON where a handler throws', async () => {
    const { proxy } = proxyHarness()
    const broken = Object.assign(() => {
      throw new Error('secret')
    }, proxy)
    const server = await serve({ proxy: broken, host: '127.0.0.1', port: 0 })
    running.push(server)
    const res = await fetch(server.url)
    const text = await res.text()
    expect([res.status, JSON.parse(text).code]).toEqual([500, 'internal_error'])
    expect(text).not.toContain('secret')
  })

  it('says so where a port is in use', async () => {
    const url = new URL(await listen((_req, res) => void res.end()))
    const { proxy } = proxyHarness()
    await expect(serve({ proxy, host: '127.0.0.1', port: Number(url.port) })).rejects.toThrow(
      `Cannot listen on 127.0.0.1:${url.port}: the port is in use; stop what uses it, or choose another with --port`,
    )
  })

  it('says so where Express is not installed', async () => {
    const { proxy } = proxyHarness()
    const findExpress = () => {
      throw Object.assign(new Error("Cannot find module 'express'"), { code: 'MODULE_NOT_FOUND' })
    }
    await expect(serve({ proxy, host: '127.0.0.1', port: 0, findExpress })).rejects.toThrow(
      'Express is not installed; install it beside this package: npm install express',
    )
  })

  it('answers who watches it while what events need is still being loaded', async () => {
    const { proxy } = proxyHarness()
    const preload = jest.fn(() => new Promise<void>(() => {}))
    const server = await serve({ proxy, host: '127.0.0.1', port: 0, preload })
    running.push(server)
    expect(preload).toHaveBeenCalledTimes(1)
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200)
    expect((await post(server.url)).status).toBe(200)
  })

  it('shows an IPv6 address as URLs have it', async () => {
    const { proxy } = proxyHarness()
    const hasIpv6 = await new Promise<boolean>((resolve) => {
      const probe = createServer().once('error', () => resolve(false))
      probe.listen(0, '::1', () => probe.close(() => resolve(true)))
    })
    if (!hasIpv6) return
    const server = await serve({ proxy, host: '::1', port: 0 })
    running.push(server)
    expect(server.url).toMatch(/^http:\/\/\[::1]:\d+$/)
    expect((await post(server.url)).status).toBe(200)
  })

  it('closes after what is under way is answered, and lets go of idle connections', async () => {
    const { server, web } = await start()
    let deliver = () => {}
    const asked = new Promise<void>((called) => {
      web.outcome = () =>
        new Promise((resolve) => {
          deliver = () => resolve({ status: 'delivered' })
          called()
        })
    })
    const answered = post(server.url)
    await asked
    const closed = server.close({ timeout: 5_000 })
    await expect(connection(server.url)).rejects.toThrow('ECONNREFUSED')
    deliver()
    const answer = await answered
    expect([answer.status, answer.headers.get('connection')]).toEqual([200, 'close'])
    expect(await closed).toMatchObject({ Website: { everything: { delivered: 1, failed: 0 } } })
  })
})

function connection(url: string): Promise<unknown> {
  return new Promise((resolve, reject) => get(url, { agent: false }, resolve).once('error', reject))
}
