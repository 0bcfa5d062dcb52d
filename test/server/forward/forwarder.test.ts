import { describe, expect, it } from '@jest/globals'
import { ByteBudget } from '../../../plugin/delivery/byte-budget.js'
import type { ForwardedRequest } from '../../../server/forward/forwarded-request.js'
import { Forwarder, type ForwarderOptions } from '../../../server/forward/forwarder.js'
import { FakeClock } from '../../fake-clock.js'
import { FakeUpstream, networkError } from './fake-upstream.js'

const SECRET_KEY = 'Basic c2VjcmV0LXdyaXRlLWtleTo='
const HOUR_MS = 60 * 60_000

function harness(options: Partial<ForwarderOptions> = {}) {
  const clock = new FakeClock()
  const upstream = new FakeUpstream()
  const budget = new ByteBudget(1024 * 1024)
  const lines: string[] = []
  const log = (line: unknown) => void lines.push(String(line))
  const forwarder = new Forwarder({
    url: 'https://upstream.test',
    maxQueuedBytes: 512 * 1024,
    budget,
    name: 'Website',
    clock,
    logger: { info: log, warn: log, error: log },
    fetch: upstream.fetch,
    ...options,
  })
  return { clock, upstream, budget, lines, forwarder }
}

function request(path = '/v1/batch', body = '{"secret":"body"}'): ForwardedRequest {
  return { path, headers: { authorization: SECRET_KEY }, body: Buffer.from(body) }
}

const OK = 200

describe('forwarding', () => {
  it('sends path, headers and body by POST, after the turn of the caller', async () => {
    const { clock, upstream, forwarder, budget } = harness({ url: 'https://upstream.test/base/' })
    upstream.onCall = (call) => call.answer(OK)
    expect(forwarder.forward(request('/v1/track', 'the body'))).toBe(true)
    expect(upstream.calls).toEqual([])
    await clock.settle()
    const [call] = upstream.calls
    expect(call?.url).toBe('https://upstream.test/base/v1/track')
    expect(call?.init).toMatchObject({ method: 'POST', redirect: 'manual', body: Buffer.from('the body') })
    expect([...new Headers(call?.init.headers)]).toEqual([['authorization', SECRET_KEY]])
    expect(forwarder.stats()).toEqual({ forwarded: 1, dropped: 0, retried: 0, queued: 0, queuedBytes: 0 })
    expect(budget.used).toBe(0)
    expect(clock.timers).toBe(0)
  })

  it('never leads to another host, whatever the path', async () => {
    const { clock, upstream, forwarder } = harness()
    upstream.onCall = (call) => call.answer(OK)
    for (const path of ['@evil.test/v1', '.evil.test/', '//evil.test/', '\\\\evil.test'])
      forwarder.forward(request(path))
    await clock.settle()
    expect(upstream.calls.map(({ url }) => new URL(url).host)).toEqual(Array(4).fill('upstream.test'))
  })

  it('keeps the order, with four under way at most', async () => {
    const { clock, upstream, forwarder } = harness()
    const paths = Array.from({ length: 10 }, (_, i) => `/v1/${i}`)
    for (const path of paths) forwarder.forward(request(path))
    await clock.settle()
    expect(upstream.paths).toEqual(paths.slice(0, 4))
    expect(forwarder.stats().queued).toBe(10)
    for (let i = 0; i < paths.length; i++) {
      upstream.calls[i]?.answer(OK)
      await clock.settle()
    }
    expect(upstream.paths).toEqual(paths)
    expect(upstream.mostWaiting).toBe(4)
    expect(forwarder.stats()).toMatchObject({ forwarded: 10, queued: 0 })
  })
})

describe('memory', () => {
  it('is bounded for each forwarder: beyond its cap requests are dropped, counted and told once a minute', async () => {
    const { clock, upstream, forwarder, lines, budget } = harness({ maxQueuedBytes: 5000 })
    const taken = Array.from({ length: 10 }, () => forwarder.forward(request('/v1/t', 'x'.repeat(1000))))
    expect(taken).toEqual([true, true, ...Array(8).fill(false)])
    expect(forwarder.stats()).toMatchObject({ queued: 2, dropped: 8 })
    expect(forwarder.stats().queuedBytes).toBe(budget.used)
    expect(budget.used).toBeGreaterThan(2000)
    expect(lines).toEqual(['Forwarding for Website: dropped 1 request(s), as too much is waiting'])
    upstream.onCall = (call) => call.answer(OK)
    await clock.advance(59_999)
    expect(lines).toHaveLength(1)
    await clock.advance(1)
    expect(lines.slice(1)).toEqual(['Forwarding for Website: dropped 7 request(s), as too much is waiting'])
    expect(forwarder.forward(request())).toBe(true)
    await clock.advance(600_000)
    expect(lines).toHaveLength(2)
    expect(budget.used).toBe(0)
    expect(clock.timers).toBe(0)
  })

  it('is bounded for requests without a body too', () => {
    const { forwarder } = harness({ maxQueuedBytes: 100_000 })
    const taken = Array.from({ length: 1000 }, () => forwarder.forward(request('/v1/t', '')))
    expect(taken.filter(Boolean).length).toBeLessThan(100)
  })

  it('is shared by all forwarders', async () => {
    const budget = new ByteBudget(3000)
    const one = harness({ budget })
    const other = harness({ budget })
    expect(one.forwarder.forward(request('/v1/t', 'x'.repeat(1500)))).toBe(true)
    expect(other.forwarder.forward(request('/v1/t', 'x'.repeat(1500)))).toBe(false)
    one.forwarder.discard()
    expect(budget.used).toBe(0)
    expect(other.forwarder.forward(request('/v1/t', 'x'.repeat(1500)))).toBe(true)
    other.forwarder.discard()
    expect(budget.used).toBe(0)
  })
})

describe('what fails for now', () => {
  it.each([408, 429, 500, 502, 503, 504])('is sent again after %d, with backoff', async (status) => {
    const { clock, upstream, forwarder, budget } = harness()
    clock.willDraw(0.5, 0.5, 0.5)
    forwarder.forward(request())
    await clock.settle()
    for (const [i, wait] of [500, 1000, 2000].entries()) {
      upstream.calls[i]?.answer(status)
      await clock.advance(wait - 1)
      expect(upstream.calls).toHaveLength(i + 1)
      await clock.advance(1)
      expect(upstream.calls).toHaveLength(i + 2)
    }
    upstream.calls[3]?.answer(OK)
    await clock.settle()
    expect(forwarder.stats()).toEqual({ forwarded: 1, dropped: 0, retried: 3, queued: 0, queuedBytes: 0 })
    expect(budget.used).toBe(0)
  })

  it('is sent again after network errors, each pause a minute at most, until an hour is over', async () => {
    const { clock, upstream, forwarder, budget, lines } = harness()
    const times: number[] = []
    upstream.onCall = (call) => {
      times.push(clock.now())
      call.fail(networkError('ECONNREFUSED'))
    }
    forwarder.forward(request())
    await clock.advance(HOUR_MS - 1)
    const waits = times.slice(1).map((time, i) => time - (times[i] as number))
    expect(times.length).toBeGreaterThan(60)
    expect(Math.max(...waits)).toBeLessThanOrEqual(60_000)
    expect(Math.max(...waits)).toBeGreaterThan(30_000)
    expect(forwarder.stats()).toMatchObject({ dropped: 0, queued: 1 })
    await clock.advance(60_000)
    expect(forwarder.stats()).toMatchObject({
      dropped: 1,
      queued: 0,
      queuedBytes: 0,
      retried: times.length - 1,
    })
    expect(budget.used).toBe(0)
    expect(lines[0]).toBe(
      'Forwarding for Website: 1 request(s) failed for now and will be sent again (ECONNREFUSED)',
    )
    expect(lines.at(-1)).toBe(
      'Forwarding for Website: dropped 1 request(s), as Segment did not take them within an hour',
    )
    expect(lines.length).toBeLessThanOrEqual(62)
  })

  it('is sent again where there is no answer within 10 seconds', async () => {
    const { clock, upstream, forwarder, lines } = harness()
    clock.willDraw(0)
    forwarder.forward(request())
    await clock.advance(9999)
    expect(upstream.calls).toHaveLength(1)
    expect(upstream.calls[0]?.init.signal?.aborted).toBe(false)
    await clock.advance(1)
    expect(upstream.calls[0]?.init.signal?.aborted).toBe(true)
    expect(upstream.calls).toHaveLength(2)
    expect(lines).toEqual([
      'Forwarding for Website: 1 request(s) failed for now and will be sent again (no answer in time)',
    ])
    forwarder.discard()
  })

  it('goes before what came later, in order, and counts as one failure', async () => {
    const { clock, upstream, forwarder } = harness()
    clock.willDraw(0.999)
    for (let i = 0; i < 6; i++) forwarder.forward(request(`/v1/${i}`))
    await clock.settle()
    for (const i of [1, 3, 0, 2]) {
      upstream.calls[i]?.fail(networkError('ECONNRESET'))
      await clock.settle()
    }
    upstream.onCall = (call) => call.answer(OK)
    await clock.advance(999)
    expect(upstream.paths.slice(4)).toEqual([0, 1, 2, 3, 4, 5].map((i) => `/v1/${i}`))
  })

  it('goes last where others get through, and does not hold them up', async () => {
    const { clock, upstream, forwarder } = harness()
    upstream.onCall = (call) => call.answer(call.path === '/v1/poison' ? 500 : OK)
    forwarder.forward(request('/v1/poison'))
    for (let i = 0; i < 100; i++) forwarder.forward(request(`/v1/${i}`))
    await clock.advance(5000)
    expect(forwarder.stats()).toMatchObject({ forwarded: 100, queued: 1 })
    forwarder.discard()
  })
})

describe('a pause', () => {
  it('is short again after something got through', async () => {
    const { clock, upstream, forwarder } = harness()
    clock.willDraw(0.5, 0.5, 0.5)
    const statuses = [503, 503, OK, 503]
    const times: number[] = []
    upstream.onCall = (call) => {
      times.push(clock.now())
      call.answer(statuses.shift() ?? OK)
    }
    forwarder.forward(request())
    await clock.advance(1500)
    forwarder.forward(request())
    await clock.advance(500)
    expect(times).toEqual([0, 500, 1500, 1500, 2000])
  })

  it('takes one timer, however many requests come', async () => {
    const { clock, upstream, forwarder } = harness()
    forwarder.forward(request())
    await clock.settle()
    upstream.calls[0]?.answer(503, { 'retry-after': '60' })
    await clock.settle()
    const { timers } = clock
    for (let i = 0; i < 5; i++) {
      forwarder.forward(request())
      await clock.settle()
    }
    expect(clock.timers).toBe(timers)
    forwarder.discard()
  })

  it('lets what went last go first again, where none got through since', async () => {
    const { clock, upstream, forwarder } = harness()
    clock.willDraw(0, 0)
    forwarder.forward(request('/v1/first'))
    forwarder.forward(request('/v1/second'))
    await clock.settle()
    upstream.calls[1]?.answer(OK)
    upstream.calls[0]?.answer(500)
    await clock.advance(0)
    for (const name of ['a', 'b', 'c', 'd', 'e']) forwarder.forward(request(`/v1/${name}`))
    await clock.settle()
    expect(upstream.paths.slice(2)).toEqual(['first', 'a', 'b', 'c'].map((name) => `/v1/${name}`))
    upstream.calls[2]?.answer(500)
    await clock.advance(0)
    expect(upstream.paths.slice(6)).toEqual(['/v1/first'])
    forwarder.discard()
  })
})

describe('Retry-After', () => {
  it.each<[string, string, number]>([
    ['seconds', '7', 7000],
    ['a date', 'Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
    ['a date of RFC 850', 'Thursday, 01-Jan-26 00:00:30 GMT', 30_000],
    ['a date of asctime(), which is in UTC', 'Thu Jan  1 00:00:30 2026', 30_000],
    ['more than 5 minutes, which are not waited', '86400', 300_000],
  ])('is waited for by all requests: %s', async (_what, retryAfter, wait) => {
    const { clock, upstream, forwarder } = harness()
    clock.willDraw(0, 0)
    for (let i = 0; i < 3; i++) forwarder.forward(request(`/v1/${i}`))
    await clock.settle()
    upstream.calls[0]?.answer(429, { 'retry-after': retryAfter })
    await clock.settle()
    // What was sent before does not end the pause.
    upstream.calls[1]?.answer(OK)
    upstream.calls[2]?.answer(503)
    forwarder.forward(request('/v1/3'))
    await clock.advance(wait - 1)
    expect(upstream.calls).toHaveLength(3)
    await clock.advance(1)
    expect(upstream.paths.slice(3).sort()).toEqual(['/v1/0', '/v1/2', '/v1/3'])
    forwarder.discard()
  })

  it.each(['soon', '0', '-3', 'Wed, 31 Dec 2025 23:00:00 GMT'])(
    'is not heeded where it says %s',
    async (it) => {
      const { clock, upstream, forwarder } = harness()
      clock.willDraw(0.5)
      forwarder.forward(request())
      await clock.settle()
      upstream.calls[0]?.answer(503, { 'retry-after': it })
      await clock.advance(499)
      expect(upstream.calls).toHaveLength(1)
      await clock.advance(1)
      expect(upstream.calls).toHaveLength(2)
      forwarder.discard()
    },
  )
})

describe('what Segment refuses', () => {
  it.each([301, 302, 307, 400, 401, 403, 404, 413])('is dropped: %d', async (status) => {
    const { clock, upstream, forwarder, budget, lines } = harness()
    upstream.onCall = (call) => call.answer(status, { location: 'https://evil.test/', 'retry-after': '1' })
    for (let i = 0; i < 5; i++) forwarder.forward(request())
    await clock.advance(HOUR_MS)
    expect(upstream.calls).toHaveLength(5)
    expect(forwarder.stats()).toEqual({ forwarded: 0, dropped: 5, retried: 0, queued: 0, queuedBytes: 0 })
    expect(budget.used).toBe(0)
    expect(lines).toEqual([
      `Forwarding for Website: dropped 1 request(s), as Segment refused them (status ${status})`,
      `Forwarding for Website: dropped 4 request(s), as Segment refused them (status ${status})`,
    ])
  })

  it('is dropped before it is sent where its headers are none', async () => {
    const { clock, upstream, forwarder, budget } = harness()
    forwarder.forward({ ...request(), headers: { authorization: 'a\nb' } })
    await clock.settle()
    expect(upstream.calls).toEqual([])
    expect(forwarder.stats()).toMatchObject({ dropped: 1, queued: 0 })
    expect(budget.used).toBe(0)
  })
})

describe('closing', () => {
  it('tries what waits, and is over when all is sent', async () => {
    const { clock, upstream, forwarder, budget } = harness()
    for (let i = 0; i < 6; i++) forwarder.forward(request())
    const closed = forwarder.close({ timeout: 5000 })
    expect(clock.holds).toBe(1)
    expect(forwarder.forward(request())).toBe(false)
    upstream.onCall = (call) => call.answer(OK)
    await clock.settle()
    await closed
    expect(clock.now()).toBe(0)
    expect(clock.holds).toBe(0)
    expect(clock.timers).toBe(0)
    expect(forwarder.stats()).toEqual({ forwarded: 6, dropped: 1, retried: 0, queued: 0, queuedBytes: 0 })
    expect(budget.used).toBe(0)
  })

  it('drops at its timeout what waits and what is under way, and tells how many', async () => {
    const { clock, upstream, forwarder, budget, lines } = harness()
    for (let i = 0; i < 6; i++) forwarder.forward(request())
    let isClosed = false
    const closed = forwarder.close({ timeout: 5000 }).then(() => {
      isClosed = true
    })
    await clock.advance(4999)
    expect(isClosed).toBe(false)
    await clock.advance(1)
    expect(isClosed).toBe(true)
    await closed
    expect(upstream.calls.map(({ init }) => init.signal?.aborted)).toEqual(Array(4).fill(true))
    expect(forwarder.stats()).toMatchObject({ forwarded: 0, dropped: 6, queued: 0, queuedBytes: 0 })
    expect(budget.used).toBe(0)
    expect(lines).toEqual(['Forwarding for Website: dropped 6 request(s), as the proxy closed'])
    await clock.advance(HOUR_MS)
    expect(upstream.calls).toHaveLength(4)
    expect(clock.timers).toBe(0)
  })

  it('is over at once where nothing waits, and may be asked for twice', async () => {
    const { forwarder, lines } = harness()
    await Promise.all([forwarder.close({ timeout: 5000 }), forwarder.close({ timeout: 5000 })])
    await forwarder.close({ timeout: 5000 })
    expect(lines).toEqual([])
  })
})

describe('discarding', () => {
  it('drops all at once, and takes nothing that comes later', async () => {
    const { clock, upstream, forwarder, budget, lines } = harness()
    for (let i = 0; i < 6; i++) forwarder.forward(request())
    await clock.settle()
    forwarder.discard()
    expect(forwarder.stats()).toEqual({ forwarded: 0, dropped: 6, retried: 0, queued: 0, queuedBytes: 0 })
    expect(budget.used).toBe(0)
    expect(upstream.calls.map(({ init }) => init.signal?.aborted)).toEqual(Array(4).fill(true))
    expect(lines).toEqual(['Forwarding for Website: dropped 6 request(s), as forwarding was switched off'])
    await clock.settle()
    expect(forwarder.forward(request())).toBe(false)
    await clock.settle()
    expect(upstream.calls).toHaveLength(4)
    expect(forwarder.stats()).toMatchObject({ dropped: 7, queued: 0 })
    expect(budget.used).toBe(0)
  })

  it('drops what waits in a pause, and ends a close', async () => {
    const { clock, upstream, forwarder, budget } = harness()
    upstream.onCall = (call) => call.answer(503, { 'retry-after': '100' })
    forwarder.forward(request())
    await clock.settle()
    const closed = forwarder.close({ timeout: 5000 })
    forwarder.discard()
    await closed
    expect(clock.now()).toBe(0)
    expect(clock.timers).toBe(0)
    expect(budget.used).toBe(0)
  })
})

describe('the log', () => {
  it('holds nothing of a request, whatever happens to it', async () => {
    const { clock, upstream, forwarder, lines } = harness({ maxQueuedBytes: 4000 })
    const answers = [
      400,
      503,
      new Error(`bad ${SECRET_KEY}`),
      new TypeError('fetch failed', { cause: SECRET_KEY }),
    ]
    upstream.onCall = (call) => {
      const answer = answers.shift()
      if (typeof answer === 'number') call.answer(answer, {}, SECRET_KEY)
      else if (answer !== undefined) call.fail(answer)
    }
    for (let i = 0; i < 20; i++) forwarder.forward(request('/v1/secret-path'))
    await clock.advance(10 * 60_000)
    const closed = forwarder.close({ timeout: 0 })
    await clock.advance(0)
    await closed
    expect(lines.length).toBeGreaterThan(4)
    expect(lines.filter((line) => /secret|c2Vj|body|v1/.test(line))).toEqual([])
  })

  it('may break', async () => {
    const fail = () => {
      throw new Error('disk full')
    }
    const { forwarder } = harness({ maxQueuedBytes: 0, logger: { info: fail, warn: fail, error: fail } })
    expect(forwarder.forward(request())).toBe(false)
  })
})
