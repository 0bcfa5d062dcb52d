import { describe, expect, it } from '@jest/globals'
import { ByteBudget } from '../../plugin/delivery/byte-budget.js'
import { Forwarder } from '../../server/forward/forwarder.js'
import { Retirement } from '../../server/retirement.js'
import type { Source } from '../../server/source.js'
import { FakeClock } from '../fake-clock.js'
import { FakeDestination } from './fake-destination.js'
import { FakeUpstream } from './forward/fake-upstream.js'
import { plainSource } from './proxy-harness.js'

const EVENT = { type: 'track', event: 'E' } as const

function harness({ answered = Promise.resolve() }: { answered?: Promise<void> } = {}) {
  const clock = new FakeClock()
  const retirement = new Retirement(() => answered)
  /** One that has delivered so many. */
  const source = async (delivered: number, parts: Partial<Source> = {}) => {
    const destination = new FakeDestination()
    await destination.deliver(Array(delivered).fill(EVENT))
    return { ...plainSource({ id: 'src_web', name: 'Website', writeKeys: [], destination }), ...parts }
  }
  const upstream = new FakeUpstream()
  const lines: string[] = []
  const log = (line: unknown) => void lines.push(String(line))
  const forwarder = () =>
    new Forwarder({
      url: 'https://upstream.test',
      maxQueuedBytes: 1024 * 1024,
      budget: new ByteBudget(1024 * 1024),
      name: 'Website',
      clock,
      logger: { info: log, warn: log, error: log },
      fetch: upstream.fetch,
    })
  return { clock, retirement, source, upstream, lines, forwarder }
}

function report(delivered: number) {
  return { everything: { delivered, spilled: 0, failed: 0 } }
}

describe('what sites that were replaced leave behind', () => {
  it('tells what all of it delivered, by names, though it has long ended', async () => {
    const { clock, retirement, source } = harness()
    for (const delivered of [1, 2]) retirement.retire([await source(delivered)], [])
    retirement.retire([await source(4, { id: 'src_app', name: 'App' })], [])
    await clock.settle()
    expect(retirement.destinations).toEqual([])
    expect(await retirement.close({ timeout: 0 })).toEqual({ Website: report(3), App: report(4) })
    expect(await retirement.close({ timeout: 0 })).toEqual({ Website: report(3), App: report(4) })
  })

  it('ends thousands in slices, so that requests are not held up, and counts each once', async () => {
    const { clock, retirement } = harness()
    const closed: number[] = []
    let turn = 0
    const sources = Array.from({ length: 2_000 }, (_, i) => {
      const destination = new FakeDestination()
      destination.close = async () => {
        closed.push(turn)
        return { everything: { delivered: 1, spilled: 0, failed: 0 } }
      }
      return plainSource({ id: `src_${i}`, name: `Source ${i % 1_000}`, writeKeys: [], destination })
    })
    retirement.retire(sources, [])
    for (; closed.length < sources.length; turn++) await clock.settle()
    const inOneTurn = Math.max(...closed.map((it) => closed.filter((other) => other === it).length))
    expect(inOneTurn).toBeLessThan(sources.length)
    const reported = await retirement.close({ timeout: 0 })
    expect(Object.keys(reported)).toHaveLength(1_000)
    expect(reported['Source 7']).toEqual(report(2))
  })

  it('tells once of what ends both by itself and because all does', async () => {
    let answer = () => {}
    const answered = new Promise<void>((resolve) => {
      answer = resolve
    })
    const { clock, retirement, source } = harness({ answered })
    retirement.retire([await source(1)], [])
    const closed = retirement.close({ timeout: 0 })
    answer()
    expect(await closed).toEqual({ Website: report(1) })
    await clock.settle()
    expect(await retirement.close({ timeout: 0 })).toEqual({ Website: report(1) })
  })

  it('fails where all is closed, and not before, where nobody waits for it', async () => {
    const { clock, retirement, source } = harness()
    const broken = await source(1)
    const fail = () => Promise.reject(new Error('broken'))
    Object.assign(broken.destination, { flush: fail, close: fail })
    retirement.retire([broken], [])
    await clock.settle()
    await expect(retirement.close({ timeout: 0 })).rejects.toThrow('broken')
  })

  it('waits for a forwarder that another has replaced, until its time is over', async () => {
    const { clock, retirement, source, upstream, lines, forwarder } = harness()
    const old = forwarder()
    old.forward({ path: '/v1/track', headers: {}, body: Buffer.from('{}') })
    await clock.settle()
    retirement.retire([await source(0, { forwarder: old })], [await source(0, { forwarder: forwarder() })])
    let isClosed = false
    const closed = retirement.close({ timeout: 5_000 }).then(() => {
      isClosed = true
    })
    await clock.advance(4_999)
    expect([isClosed, upstream.calls.length, lines]).toEqual([false, 1, []])
    await clock.advance(1)
    await closed
    expect(lines).toEqual([expect.stringContaining('as the proxy closed')])
    expect(old.stats()).toMatchObject({ dropped: 1, queued: 0 })
    expect(clock.holds).toBe(0)
  })

  it('lets such a forwarder end before that', async () => {
    const { clock, retirement, source, upstream, lines, forwarder } = harness()
    const old = forwarder()
    old.forward({ path: '/v1/track', headers: {}, body: Buffer.from('{}') })
    await clock.settle()
    retirement.retire([await source(0, { forwarder: old })], [await source(0, { forwarder: forwarder() })])
    const closed = retirement.close({ timeout: 5_000 })
    upstream.calls[0]?.answer(200)
    await closed
    expect(old.stats()).toMatchObject({ forwarded: 1, dropped: 0 })
    expect(lines).toEqual([])
  })
})
