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

  it('tell the refused when to come back', () => {
    expect(rateLimitHeaders({ ...state, isAllowed: false, remaining: 0 })).toEqual({
      'RateLimit-Policy': '100;w=60',
      RateLimit: 'limit=100, remaining=0, reset=30',
      'Retry-After': '30',
    })
  })
})
