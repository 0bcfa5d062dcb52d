import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { backoffMs } from '../../plugin/backoff.js'

const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

describe('backoffMs', () => {
  it('is from 0 to below min(10 s, 100 ms · 2^n), for any attempt', () => {
    fc.assert(
      fc.property(fc.nat(), chance, (attempt, random) => {
        const wait = backoffMs(attempt, { random: () => random })
        expect(wait).toBeGreaterThanOrEqual(0)
        expect(wait).toBeLessThan(Math.min(10_000, 100 * 2 ** attempt) + Number.EPSILON)
      }),
    )
  })

  it('uses all of the range: full jitter', () => {
    fc.assert(
      fc.property(fc.nat({ max: 60 }), chance, (attempt, random) => {
        const ceiling = Math.min(10_000, 100 * 2 ** attempt)
        expect(backoffMs(attempt, { random: () => random })).toBeCloseTo(random * ceiling, 6)
      }),
    )
  })

  it.each([
    [0, 50],
    [1, 100],
    [6, 3_200],
    [7, 5_000],
    [1_000_000, 5_000],
  ])('has its middle before try %i at %i ms', (attempt, middle) => {
    expect(backoffMs(attempt, { random: () => 0.5 })).toBe(middle)
  })

  it('takes another base and another longest wait', () => {
    expect(backoffMs(1, { random: () => 0.5 }, 500, 60_000)).toBe(500)
    expect(backoffMs(50, { random: () => 0.5 }, 500, 60_000)).toBe(30_000)
  })
})
