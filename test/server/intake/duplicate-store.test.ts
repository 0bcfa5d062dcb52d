import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { MemoryDuplicateStore } from '../../../server/intake/duplicate-store.js'
import { FakeClock } from '../../fake-clock.js'

function storeOf(maxEntries: number, windowMs = 1_000) {
  const clock = new FakeClock()
  return { clock, store: new MemoryDuplicateStore({ windowMs, maxEntries, clock }) }
}

describe('a store of duplicates in memory', () => {
  it('holds so many IDs at most, and the latest half of them for certain', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 300 }), (maxEntries, count) => {
        const { store } = storeOf(maxEntries)
        for (let i = 0; i < count; i++) {
          store.remember([String(i)])
          expect(store.size).toBeLessThanOrEqual(maxEntries)
        }
        const latest = Array.from(
          { length: Math.min(count, Math.max(1, Math.floor(maxEntries / 2))) },
          (_, i) => String(count - 1 - i),
        )
        expect(store.known(latest).size).toBe(latest.length)
      }),
    )
  })

  it('remembers each ID for the window, whatever comes after it, as long as there is room', async () => {
    const { clock, store } = storeOf(1_000)
    const at = new Map<string, number>()
    for (let i = 0; i < 200; i++) {
      store.remember([`id ${i}`])
      at.set(`id ${i}`, clock.now())
      await clock.advance((i * 37) % 41)
      const due = [...at].filter(([, since]) => clock.now() - since <= 1_000).map(([id]) => id)
      expect(store.known(due).size).toBe(due.length)
      const gone = [...at].filter(([, since]) => clock.now() - since > 1_500).map(([id]) => id)
      expect(store.known(gone).size).toBe(0)
    }
  })

  it('holds nothing, and no timer, once the window of all is over', async () => {
    const { clock, store } = storeOf(100_000)
    store.remember(Array.from({ length: 50_000 }, (_, i) => String(i)))
    expect(store.size).toBe(50_000)
    await clock.advance(2_000)
    expect(store.size).toBe(0)
    expect(clock.timers).toBe(0)
  })
})
