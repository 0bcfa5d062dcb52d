import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { BudgetShare } from '../../../plugin/delivery/budget-share.js'
import { ByteBudget } from '../../../plugin/delivery/byte-budget.js'

function harness({ sources = 5, capacity = 1_000 } = {}) {
  const whole = new ByteBudget(capacity)
  const state = { isAlone: false }
  const shares = Array.from({ length: sources }, () => new BudgetShare(whole, () => state.isAlone))
  const fill = (share: BudgetShare | undefined) => {
    let held = 0
    while (share?.take(1)) held++
    return held
  }
  return { whole, shares, fill, state }
}

describe("a source's share of the memory", () => {
  it('leaves room to the others, whoever has taken theirs', () => {
    const { shares, fill } = harness()
    expect(shares.map(fill)).toEqual([750, 187, 47, 12, 3])
  })

  it('is all of it where there is no other source, and no longer when there is one', () => {
    const { whole, shares, fill, state } = harness()
    state.isAlone = true
    expect([shares[0]?.capacity, fill(shares[0])]).toEqual([1_000, 1_000])
    shares[0]?.giveBack(100)
    state.isAlone = false
    expect([shares[0]?.capacity, shares[0]?.take(1), shares[1]?.take(10)]).toEqual([750, false, true])
    shares[0]?.giveBack(900)
    shares[1]?.giveBack(10)
    expect(whole.used).toBe(0)
  })

  it('fits together what it says it has room for, as much as its capacity where nobody holds anything', () => {
    fc.assert(
      fc.property(
        fc.nat(900),
        fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 20 }),
        (held, records) => {
          const { whole, shares } = harness()
          const [share] = shares
          expect(share?.hasRoomFor(share.capacity)).toBe(true)
          expect(share?.hasRoomFor(share.capacity + 1)).toBe(false)
          shares[1]?.take(held)
          const used = whole.used
          const bytes = records.reduce((sum, it) => sum + it, 0)
          const isSaid = share?.hasRoomFor(bytes)
          const taken = records.filter((it) => share?.take(it))
          if (isSaid) expect(taken).toEqual(records)
          else expect(taken.length).toBeLessThan(records.length)
          for (const it of taken) share?.giveBack(it)
          expect(whole.used).toBe(used)
        },
      ),
    )
  })

  it('counts what would be given up for it as free', () => {
    const { whole, shares } = harness()
    whole.take(800)
    const holders = {
      reclaimableBytes: 700,
      reclaim: (bytes: number) => {
        holders.reclaimableBytes -= bytes
        whole.giveBack(bytes)
      },
    }
    whole.reclaimFrom(holders)
    expect(shares[0]?.take(600)).toBe(true)
    expect([whole.used, holders.reclaimableBytes]).toEqual([1_000, 300])
  })
})
