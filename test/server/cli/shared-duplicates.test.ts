import { describe, expect, it } from '@jest/globals'
import { DuplicateMemory } from '../../../server/cli/duplicate-memory.js'
import { SharedDuplicates } from '../../../server/cli/shared-duplicates.js'
import type { DuplicateQuestion } from '../../../server/cli/worker-messages.js'
import { FakeClock } from '../../fake-clock.js'

const DEDUPE = { windowMs: 1_000, maxEntries: 10 }
const SOURCES = [
  { id: 'src_a', dedupe: DEDUPE },
  { id: 'src_b', dedupe: DEDUPE },
  { id: 'src_c', dedupe: undefined },
]

function harness() {
  const clock = new FakeClock()
  const messages: { number: number; questions: readonly DuplicateQuestion[] }[] = []
  const shared = new SharedDuplicates((number, questions) => void messages.push({ number, questions }), clock)
  return { clock, messages, shared, store: shared.storeOf('src_a') }
}

describe('the way to the memory that workers share', () => {
  it('takes what is asked in a turn in one message, and gives each its answer', async () => {
    const { clock, messages, shared, store } = harness()
    const answers = Promise.all([store.known(['a', 'b']), shared.storeOf('src_b').known(['c'])])
    const remembered = store.remember(['d'])
    await clock.settle()
    expect(messages).toEqual([
      {
        number: 1,
        questions: [
          { source: 'src_a', remember: false, ids: ['a', 'b'] },
          { source: 'src_b', remember: false, ids: ['c'] },
          { source: 'src_a', remember: true, ids: ['d'] },
        ],
      },
    ])
    shared.take(1, [['b'], [], []])
    expect(await answers).toEqual([new Set(['b']), new Set()])
    await remembered
  })

  it('knows answers by their number, in whatever order they come', async () => {
    const { clock, messages, shared, store } = harness()
    const first = store.known(['a'])
    await clock.settle()
    const second = store.known(['b'])
    await clock.settle()
    expect(messages.map(({ number }) => number)).toEqual([1, 2])
    shared.take(2, [['b']])
    shared.take(1, [[]])
    expect([await first, await second]).toEqual([new Set(), new Set(['b'])])
  })

  it('asks nothing about nothing', async () => {
    const { clock, messages, store } = harness()
    expect(await store.known([])).toEqual(new Set())
    await clock.settle()
    expect(messages).toEqual([])
  })

  it('fails when there is nobody who answers', async () => {
    const { clock, messages, shared, store } = harness()
    const asked = expect(store.known(['a'])).rejects.toThrow('is gone')
    await clock.settle()
    const waiting = expect(store.remember(['b'])).rejects.toThrow('is gone')
    shared.lose()
    await Promise.all([asked, waiting])
    await expect(store.known(['c'])).rejects.toThrow('is gone')
    await clock.settle()
    expect(messages).toHaveLength(1)
    expect(clock.timers).toBe(0)
  })

  it('waits a second for an answer, by one timer a message, whether to tell or to remember', async () => {
    const { clock, store } = harness()
    const failures: unknown[] = []
    const asked = [store.known(['a']), store.known(['b']), store.remember(['c'])]
    for (const it of asked) void Promise.resolve(it).catch((error) => failures.push(String(error)))
    await clock.settle()
    expect(clock.timers).toBe(1)
    await clock.advance(999)
    expect(failures).toEqual([])
    await clock.advance(1)
    expect(failures).toEqual(
      Array(3).fill('Error: the process that remembers them has not answered for 1000 ms'),
    )
    expect(clock.timers).toBe(0)
  })

  it('asks nothing more while an answer is overdue, and goes on when one comes, which it ignores', async () => {
    const { clock, messages, shared, store } = harness()
    const late = expect(store.known(['a'])).rejects.toThrow('has not answered')
    await clock.advance(1_000)
    await late
    await expect(store.known(['a'])).rejects.toThrow('has not answered')
    await expect(store.remember(['a'])).rejects.toThrow('has not answered')
    await clock.settle()
    expect([messages.length, clock.timers]).toEqual([1, 0])
    shared.take(1, [['a']])
    const next = store.known(['b'])
    await clock.settle()
    expect(messages.map(({ number }) => number)).toEqual([1, 2])
    shared.take(2, [['b']])
    expect(await next).toEqual(new Set(['b']))
    expect(clock.timers).toBe(0)
  })

  it('takes an answer that came in time and is read late, as when this process stood still', async () => {
    const due: (() => void)[] = []
    const deferred: (() => void)[] = []
    const run = (callbacks: (() => void)[]) => {
      for (const callback of callbacks.splice(0)) callback()
    }
    const after = (_ms: number, callback: () => void) => {
      due.push(callback)
      return () => {}
    }
    const shared = new SharedDuplicates(() => {}, {
      after,
      defer: (callback) => void deferred.push(callback),
    })
    const asked = shared.storeOf('src_a').known(['a'])
    run(deferred)
    run(due)
    shared.take(1, [['a']])
    run(deferred)
    expect(await asked).toEqual(new Set(['a']))
  })
})

describe('the memory that workers share', () => {
  const ask = (source: string, ...ids: string[]) => ({ source, remember: false, ids })
  const tell = (source: string, ...ids: string[]) => ({ source, remember: true, ids })

  it('is of each source', async () => {
    const memory = new DuplicateMemory(SOURCES, new FakeClock())
    await memory.answer([tell('src_a', 'x', 'y'), tell('src_c', 'x')])
    const questions = [
      ask('src_a', 'x', 'z', 'y'),
      ask('src_b', 'x'),
      ask('src_c', 'x'),
      ask('constructor', 'x'),
    ]
    expect(await memory.answer(questions)).toEqual([['x', 'y'], [], [], []])
  })

  it('forgets after the window', async () => {
    const clock = new FakeClock()
    const memory = new DuplicateMemory(SOURCES, clock)
    await memory.answer([tell('src_a', 'x')])
    await clock.advance(1_000)
    expect(await memory.answer([ask('src_a', 'x')])).toEqual([['x']])
    await clock.advance(501)
    expect(await memory.answer([ask('src_a', 'x')])).toEqual([[]])
  })

  it('is kept by a source with the same settings', async () => {
    const memory = new DuplicateMemory(SOURCES, new FakeClock())
    await memory.answer([tell('src_a', 'x'), tell('src_b', 'x')])
    memory.reconfigure([
      { id: 'src_a', dedupe: { ...DEDUPE } },
      { id: 'src_b', dedupe: { ...DEDUPE, windowMs: 2_000 } },
    ])
    expect(await memory.answer([ask('src_a', 'x'), ask('src_b', 'x')])).toEqual([['x'], []])
  })
})
