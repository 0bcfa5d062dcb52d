import { once } from 'node:events'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from '@jest/globals'
import { ByteBudget } from '../../../plugin/delivery/byte-budget.js'
import { type RunningServer, serve } from '../../../server/serve.js'
import { basic, listen, proxyHarness, WEB_KEY } from '../proxy-harness.js'
import { headOf, type RawRequest } from './wire.js'

const batch = [{ type: 'track', event: 'E', userId: 'u1' }]
const keyedBatch = Buffer.from(JSON.stringify({ writeKey: WEB_KEY, batch }))

/** Tells when memory is taken and when all of it is given back. */
class WatchedBudget extends ByteBudget {
  #waiting: { readonly isMet: () => boolean; readonly resolve: () => void }[] = []

  override take(bytes: number): boolean {
    const isTaken = super.take(bytes)
    this.#look()
    return isTaken
  }

  override giveBack(bytes: number): void {
    super.giveBack(bytes)
    this.#look()
  }

  until(isMet: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ isMet, resolve })
      this.#look()
    })
  }

  #look(): void {
    for (const { isMet, resolve } of this.#waiting) if (isMet()) resolve()
  }
}

const halves: readonly (readonly [string, Partial<RawRequest>, Buffer])[] = [
  ['plain', { framing: 'length' }, keyedBatch.subarray(0, 40)],
  [
    'in chunks',
    { framing: 'chunked' },
    Buffer.concat([Buffer.from('28\r\n'), keyedBatch.subarray(0, 40), Buffer.from('\r\n')]),
  ],
  ['gzip', { headers: [['Content-Encoding', 'gzip']] }, gzipSync(keyedBatch).subarray(0, 40)],
]

describe('many who send half a body', () => {
  const SENDERS = 20

  it.each(halves)('and go away leave no memory taken: %s', async (_name, given, half) => {
    const budget = new WatchedBudget(1024 * 1024)
    const harness = proxyHarness({ budget })
    const url = await listen(harness.proxy)
    const head = headOf(url, { path: '/v1/batch', headers: [], body: keyedBatch, ...given })
    const sockets = Array.from({ length: SENDERS }, () => connect(Number(new URL(url).port), '127.0.0.1'))
    for (const socket of sockets) socket.write(Buffer.concat([Buffer.from(head), half]))
    await budget.until(() => budget.used === SENDERS * 40)
    for (const socket of sockets) socket.destroy()
    await budget.until(() => budget.used === 0)
    expect([harness.web.calls, harness.lines]).toEqual([[], []])
    expect(harness.proxy.stats().requests).toEqual({ accepted: 0, refused: 0, deferred: 0 })
  })
})

describe('who sends slowly', () => {
  const running: RunningServer[] = []
  afterEach(() => Promise.all(running.splice(0).map((server) => server.close({ timeout: 0 }))))

  const HEAD = 'POST /v1/batch HTTP/1.1\r\nHost: x\r\n'

  it.each([
    ['a first line', 'POST /v1/ba'],
    ['headers', `${HEAD}Content-Le`],
    ['a body in chunks', `${HEAD}Transfer-Encoding: chunked\r\n\r\n9\r\n{"batch":\r\n`],
    ['a compressed body', `${HEAD}Content-Encoding: gzip\r\nContent-Length: 99\r\n\r\n\x1f\x8b\x08`],
    ['a body for telemetry', `${HEAD.replace('batch', 'm')}Content-Length: 99\r\n\r\n{`],
    ['what is refused already', `${HEAD}Authorization: ${basic('mistyped')}\r\nContent-Length: 99\r\n\r\n{`],
  ])('is cut off: %s', async (_name, sent) => {
    const { proxy, budget } = proxyHarness()
    const receiveLimits = { headersTimeout: 20, requestTimeout: 20, connectionsCheckingInterval: 5 }
    const server = await serve({ proxy, host: '127.0.0.1', port: 0, receiveLimits })
    running.push(server)
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1').resume()
    socket.write(sent, 'latin1')
    await once(socket, 'close')
    expect(budget.used).toBe(0)
  })
})
