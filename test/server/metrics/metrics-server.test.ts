import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from '@jest/globals'
import { type MetricsServer, serveMetrics } from '../../../server/metrics/metrics-server.js'
import { listen } from '../proxy-harness.js'
import { measured, measures } from './measured.js'
import { seriesValue } from './parse-exposition.js'

const open: MetricsServer[] = []

async function served() {
  const server = await serveMetrics({ host: '127.0.0.1', port: 0 })
  open.push(server)
  return server
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()))
})

describe('the server of the metrics page', () => {
  it('has it at /metrics, in the text format, whatever the query', async () => {
    const { url, show } = await served()
    show(async () => measured([measures(100)]))
    expect(new URL(url).pathname).toBe('/metrics')
    const res = await fetch(`${url}?name[]=up`)
    expect(res.status).toBe(200)
    expect(Object.fromEntries(res.headers)).toMatchObject({
      'content-type': 'text/plain; version=0.0.4; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    })
    expect(seriesValue(await res.text(), 'workers')).toBe(1)
  })

  it('answers HEAD, refuses other methods, and has nothing else', async () => {
    const { url, show } = await served()
    show(async () => measured([measures(100)]))
    const head = await fetch(url, { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
    const post = await fetch(url, { method: 'POST', body: '{}' })
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
    for (const path of ['/', '/metrics/', '/healthz', '/v1/track', '/snippet/k']) {
      expect((await fetch(new URL(path, url))).status).toBe(404)
    }
  })

  it('answers 503 before there is anything to show', async () => {
    const { url } = await served()
    expect((await fetch(url)).status).toBe(503)
  })

  it('answers 500 where the page cannot be made, and goes on', async () => {
    const { url, show } = await served()
    show(async () => {
      throw new Error('the reason')
    })
    const res = await fetch(url)
    expect(res.status).toBe(500)
    expect(await res.text()).not.toContain('the reason')
    show(async () => measured([measures(100)]))
    expect((await fetch(url)).status).toBe(200)
  })

  it('closes while a connection is kept', async () => {
    const { url, show, close } = await served()
    show(async () => measured([measures(100)]))
    await (await fetch(url)).text()
    await close()
    await expect(fetch(url)).rejects.toThrow()
  })

  it('holds no more connections than scrapers need, and closes those that never ask', async () => {
    const { url, close } = await served()
    const sockets = Array.from({ length: 110 }, () => connect(Number(new URL(url).port), '127.0.0.1'))
    const ends = sockets.map((socket) => once(socket.resume(), 'close'))
    await Promise.all(ends.map((end, i) => (i < 100 ? once(sockets[i] as Socket, 'connect') : end)))
    await close()
    await Promise.all(ends)
  })

  it('says with one line why it cannot listen', async () => {
    const { port } = new URL(await listen((_req, res) => res.end()))
    await expect(serveMetrics({ host: '127.0.0.1', port: Number(port) })).rejects.toThrow(
      `Cannot listen on 127.0.0.1:${port}: the port is in use; stop what uses it, or choose another with --metrics-port`,
    )
    await expect(serveMetrics({ host: '192.0.2.1', port: 0 })).rejects.toThrow(
      /choose another with metrics\.host$/,
    )
  })
})
