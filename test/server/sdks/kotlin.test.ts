import type { RequestListener } from 'node:http'
import { createSecureServer, type Http2ServerRequest } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from '@jest/globals'
import { Arrivals } from '../browser/arrivals.js'
import { makeCertificate } from '../browser/tls-front.js'
import { listen, proxyHarness, WEB_KEY } from '../proxy-harness.js'
import { startRecorder, unavailable } from './recorder.js'
import { type RunningSdk, startSdk } from './running-sdk.js'
import { type Certificate, describeFor, kotlin } from './sdk-programs.js'

const TIMEOUT_MS = 60_000

const certificate = makeCertificate()

interface Answered {
  readonly request: string
  readonly httpVersion: string
  readonly status: number
}

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

/** Listens with TLS and HTTP/2, as the Kotlin SDK prefers. Returns the URL, and what was answered. */
async function listenWithHttp2(certificate: Certificate, handler: RequestListener) {
  const answered = new Arrivals<Answered>()
  const server = createSecureServer({ ...certificate, allowHTTP1: true }, (req: Http2ServerRequest, res) => {
    const { method, url, httpVersion } = req
    res.once('close', () =>
      answered.add({ request: `${method} ${url}`, httpVersion, status: res.statusCode }),
    )
    handler(req as never, res as never)
  })
  server.on('session', (session) => closing.push(() => session.destroy()))
  closing.push(() => server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `https://localhost:${(server.address() as AddressInfo).port}`, answered }
}

describeFor(kotlin)('the Kotlin SDK', () => {
  const track = (running: RunningSdk) => running.do('track Started', 'flush')

  it(
    'loads its settings and delivers over HTTP/2, without a proxy in between',
    async () => {
      if (certificate === undefined) throw new Error('OpenSSL is needed')
      const { proxy, web } = proxyHarness()
      const { url, answered } = await listenWithHttp2(certificate, proxy)
      const running = startSdk(kotlin, { url, writeKey: WEB_KEY, certificate })
      track(running)
      await running.waitFor(answered.until(1, ({ request }) => request === 'POST /v1/b'))
      await running.close()
      expect(new Set(answered.all.map(({ httpVersion, status }) => `${httpVersion} ${status}`))).toEqual(
        new Set(['2.0 200']),
      )
      expect(answered.all[0]?.request).toBe(`GET /v1/projects/${WEB_KEY}/settings`)
      expect(web.delivered).toMatchObject([{ event: 'Started', channel: 'client' }])
      expect(running.errors.all).toEqual([])
    },
    TIMEOUT_MS,
  )

  it(
    'sends to this host from the first start on, with defaultSettings and while no settings can be loaded',
    async () => {
      const recorder = await startRecorder(certificate)
      const { proxy, web } = proxyHarness()
      const url = await listen((req, res) => (req.method === 'GET' ? unavailable(res) : proxy(req, res)))
      recorder.target = url
      const running = startSdk(kotlin, { url: recorder.url, writeKey: WEB_KEY, certificate })
      track(running)
      await running.waitFor(recorder.sent.until(1))
      await running.close()
      expect(web.delivered).toMatchObject([{ event: 'Started' }])
    },
    TIMEOUT_MS,
  )
})
