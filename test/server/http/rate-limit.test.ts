import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { RateLimit, rateLimitHeaders } from '../../../server/http/rate-limit.js'
import { FakeClock } from '../../fake-clock.js'

describe('RateLimit', () => {
  it('allows so many in a window, and tells how it stands', async () => {
    const clock = new FakeClock()
    const limit = new RateLimit({ limit: 2, windowMs: 60_000 }, clock)
    const common = { limit: 2, windowSeconds: 60 }
    expect(limit.take()).toEqual({ ...common, isAllowed: true, remaining: 1, resetSeconds: 60 })
    await clock.advance(30_001)
    expect(limit.take()).toEqual({ ...common, isAllowed: true, remaining: 0, resetSeconds: 30 })
    expect(limit.take()).toEqual({ ...common, isAllowed: false, remaining: 0, resetSeconds: 30 })
    await clock.advance(29_998)
    expect(limit.take()).toEqual({ ...common, isAllowed: false, remaining: 0, resetSeconds: 1 })
    await clock.advance(1)
    expect(limit.take()).toEqual({ ...common, isAllowed: true, remaining: 1, resetSeconds: 60 })
  })

  it('starts a window with the first that asks, however long nobody did', async () => {
    const clock = new FakeClock()
    const limit = new RateLimit({ limit: 1, windowMs: 1_000 }, clock)
    limit.take()
    await clock.advance(1_900)
    expect(limit.take()).toMatchObject({ isAllowed: true, resetSeconds: 1 })
    await clock.advance(999)
    expect(limit.take()).toMatchObject({ isAllowed: false })
  })

  it('goes by the time that only grows: setting the wall time opens nothing', () => {
    const clock = new FakeClock()
    const limit = new RateLimit({ limit: 1, windowMs: 1_000 }, clock)
    limit.take()
    clock.setWallTime(Date.UTC(2040, 0, 1))
    expect(limit.take().isAllowed).toBe(false)
  })

  it('says whole seconds for a window of less', () => {
    const limit = new RateLimit({ limit: 1, windowMs: 10 }, new FakeClock())
    expect(limit.take()).toMatchObject({ windowSeconds: 1, resetSeconds: 1 })
  })

  it('refuses a batch that does not fit in what is left, and takes nothing for it', async () => {
    const clock = new FakeClock()
    const limit = new RateLimit({ limit: 10, windowMs: 1_000 }, clock)
    expect(limit.take(6)).toMatchObject({ isAllowed: true, remaining: 4 })
    expect(limit.take(5)).toMatchObject({ isAllowed: false, remaining: 4 })
    expect(limit.take(4)).toMatchObject({ isAllowed: true, remaining: 0 })
    await clock.advance(1_000)
    expect(limit.take(10)).toMatchObject({ isAllowed: true, remaining: 0 })
  })

  it('lets a batch larger than itself into a fresh window, which lasts longer in proportion', async () => {
    const clock = new FakeClock()
    const limit = new RateLimit({ limit: 10, windowMs: 1_000 }, clock)
    limit.take(1)
    expect(limit.take(25)).toMatchObject({ isAllowed: false, resetSeconds: 1 })
    await clock.advance(1_000)
    expect(limit.take(25)).toMatchObject({ isAllowed: true, remaining: 0, resetSeconds: 3 })
    await clock.advance(2_499)
    expect(limit.take(1)).toMatchObject({ isAllowed: false, resetSeconds: 1 })
    await clock.advance(1)
    expect(limit.take(1)).toMatchObject({ isAllowed: true, remaining: 9 })
  })

  it('lets such a batch in on its second try though others keep every window busy', async () => {
    const clock = new FakeClock()
    const limit = new RateLimit({ limit: 10, windowMs: 1_000 }, clock)
    limit.take(1)
    expect(limit.take(25).isAllowed).toBe(false)
    await clock.advance(1_000)
    limit.take(4)
    expect(limit.take(25)).toMatchObject({ isAllowed: true, resetSeconds: 3 })
    await clock.advance(2_900)
    limit.take(4)
    expect(limit.take(25).isAllowed).toBe(false)
  })

  it('tells how it stands and starts no window by that', async () => {
    const clock = new FakeClock()
    const limit = new RateLimit({ limit: 2, windowMs: 1_000 }, clock)
    expect(limit.state).toMatchObject({ remaining: 2, resetSeconds: 1 })
    await clock.advance(900)
    limit.take()
    await clock.advance(500)
    expect(limit.state).toMatchObject({ remaining: 1 })
  })

  it('never allows more than the limit a window over time, by batches of any size, and refuses none for ever', () => {
    const batches = fc.array(
      fc.record({ wait: fc.integer({ min: 0, max: 500 }), count: fc.integer({ min: 1, max: 30 }) }),
      { minLength: 20, maxLength: 300 },
    )
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10 }), batches, (max, steps) => {
        let now = 0
        const windowMs = 1_000
        const limit = new RateLimit({ limit: max, windowMs }, { now: () => now })
        let taken = 0
        for (const { wait, count } of steps) {
          now += wait
          if (limit.take(count).isAllowed) taken += count
          // The window that runs now may have been used up at its beginning, by one batch of 30 too.
          expect(taken).toBeLessThan(max * (now / windowMs) + max + 30)
        }
        // Whoever comes back when told to is let in.
        const refused = limit.take(30)
        if (!refused.isAllowed) {
          now += refused.resetSeconds * 1_000
          expect(limit.take(30).isAllowed).toBe(true)
        }
      }),
    )
  })

  it('never allows more than the limit in a window, refuses none below it, and keeps its word on when it resets', () => {
    const waits = fc.array(fc.integer({ min: 0, max: 700 }), { maxLength: 200 })
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 1_500 }),
        waits,
        (max, windowMs, steps) => {
          let now = 0
          const limit = new RateLimit({ limit: max, windowMs }, { now: () => now })
          let window = { start: Number.NEGATIVE_INFINITY, allowed: 0 }
          for (const step of steps) {
            now += step
            if (now - window.start >= windowMs) window = { start: now, allowed: 0 }
            const state = limit.take()
            expect(state.isAllowed).toBe(window.allowed < max)
            if (state.isAllowed) window.allowed++
            expect(state.remaining).toBe(max - window.allowed)
            const left = window.start + windowMs - now
            expect(state.resetSeconds * 1000).toBeGreaterThanOrEqual(left)
            expect((state.resetSeconds - 1) * 1000).toBeLessThan(left)
          }
        },
      ),
    )
  })
})

describe('rateLimitHeaders', () => {
  const state = { limit: 100, remaining: 7, resetSeconds: 30, windowSeconds: 60 }

  it('are those of the seventh draft', () => {
    expect(rateLimitHeaders({ ...state, isAllowed: true })).toEqual({
      'RateLimit-Policy': '100;w=60',
      RateLimit: 'limit=100, remaining=7, reset=30',
    })
  })

  it('tell of every limit, and what is counted by those that do not count requests', () => {
    const events = { limit: 5_000, remaining: 0, resetSeconds: 2, windowSeconds: 60, unit: 'events' } as const
    expect(
      rateLimitHeaders({ ...events, isAllowed: true }, [
        { ...state, isAllowed: true },
        { ...events, isAllowed: true },
      ]),
    ).toEqual({
      'RateLimit-Policy': '100;w=60, 5000;w=60;unit="events"',
      RateLimit: 'limit=5000, remaining=0, reset=2',
    })
  })

  it('tell the refused when to come back', () => {
    expect(rateLimitHeaders({ ...state, isAllowed: false, remaining: 0 })).toEqual({
      'RateLimit-Policy': '100;w=60',
      RateLimit: 'limit=100, remaining=0, reset=30',
      'Retry-After': '30',
    })
  })
})
