import { describe, expect, it } from '@jest/globals'
import { Deduplicator } from '../../../server/intake/deduplicator.js'
import { type DuplicateStore, MemoryDuplicateStore } from '../../../server/intake/duplicate-store.js'
import { FakeClock } from '../../fake-clock.js'

const event = (messageId: string) => ({ type: 'track', messageId })

function harness(store?: DuplicateStore) {
  const clock = new FakeClock()
  const lines: string[] = []
  const log = (line: unknown) => void lines.push(String(line))
  const duplicates = new Deduplicator(
    store ?? new MemoryDuplicateStore({ windowMs: 1_000, maxEntries: 3, clock }),
    { info: log, warn: log, error: log },
    clock,
  )
  /** Delivers at once, and tells which IDs were fresh. */
  const deliver = async (...ids: string[]) => {
    const { fresh, settle } = await duplicates.claim(ids.map(event))
    await settle(() => true)
    return fresh.map(({ messageId }) => messageId)
  }
  return { clock, lines, duplicates, deliver }
}

describe('a deduplicator', () => {
  it('lets an event through once', async () => {
    const { duplicates, deliver } = harness()
    expect(await deliver('a', 'b')).toEqual(['a', 'b'])
    expect(await deliver('b', 'c')).toEqual(['c'])
    expect(duplicates.duplicates).toBe(1)
  })

  it('lets one through again that was not durable', async () => {
    const { duplicates, deliver } = harness()
    const { settle } = await duplicates.claim([event('a'), event('b')])
    await settle(({ messageId }) => messageId === 'b')
    expect(await deliver('a', 'b')).toEqual(['a'])
  })

  it('remembers an ID for its window, and half of it more at most', async () => {
    const { clock, deliver } = harness()
    await deliver('a')
    await clock.advance(499)
    await deliver('b')
    await clock.advance(501)
    expect(await deliver('a')).toEqual([])
    await clock.advance(499)
    expect(await deliver('b')).toEqual([])
    await clock.advance(502)
    expect(await deliver('a', 'b')).toEqual(['a', 'b'])
  })

  it.each([true, false])(
    'gives a twin the outcome of the first, which is under way: %s',
    async (isDurable) => {
      const { duplicates } = harness()
      const first = await duplicates.claim([event('a')])
      const twin = await duplicates.claim([event('a')])
      expect(twin.fresh).toEqual([])
      await first.settle(() => isDurable)
      expect(await Promise.all(twin.others)).toEqual([isDurable])
      await twin.settle(() => true)
      const third = await duplicates.claim([event('a')])
      expect(third.fresh).toHaveLength(isDurable ? 0 : 1)
    },
  )

  it('claims before it asks its store: of two at once only one has the event', async () => {
    const { duplicates } = harness()
    const [one, two] = await Promise.all([duplicates.claim([event('a')]), duplicates.claim([event('a')])])
    expect([one.fresh.length, two.fresh.length]).toEqual([1, 0])
  })

  it('takes twins in one request for one', async () => {
    const { duplicates } = harness()
    const { fresh, others, settle } = await duplicates.claim([event('a'), event('a')])
    expect([fresh.length, others.length]).toEqual([1, 1])
    await settle(() => true)
    expect(await others[0]).toBe(true)
  })

  it('tells long IDs apart, and does not hold them', async () => {
    const { deliver } = harness()
    const long = 'x'.repeat(100_000)
    expect(await deliver(`${long}1`)).toHaveLength(1)
    expect(await deliver(`${long}2`)).toHaveLength(1)
    expect(await deliver(`${long}1`)).toHaveLength(0)
  })

  it('lets everything through, and says so, while its store fails', async () => {
    const fail = () => Promise.reject(new Error('the store is away'))
    const { clock, duplicates, deliver, lines } = harness({ known: fail, remember: fail })
    expect(await deliver('a')).toEqual(['a'])
    expect(await deliver('a')).toEqual(['a'])
    expect(duplicates.duplicates).toBe(0)
    expect(lines).toEqual(['Duplicates cannot be told for now, 1 time(s): the store is away'])
    await clock.advance(60_000)
    expect(lines.slice(1)).toEqual(['Duplicates cannot be told for now, 3 time(s): the store is away'])
  })
})
