import { expect, it } from '@jest/globals'
import { BoundedClaims } from '../../../plugin/spill/bounded-claims.js'
import type { Spill, SpillClaim, SpillTarget } from '../../../plugin/spill/spill.js'

const target: SpillTarget = { key: '0123456789abcdef', stream: 's' }

function spillOf(claims: (SpillClaim | undefined | Error)[]): Spill {
  return {
    append: async () => {},
    claim: async () => {
      const next = claims.shift()
      if (next instanceof Error) throw next
      return next
    },
    targets: () => [target],
    stats: () => ({ files: 0, records: 0, bytes: 0, oldestAgeMs: undefined }),
    canTake: () => true,
    opened: async () => {},
    close: async () => {},
  }
}

const claim = (): SpillClaim => ({
  target,
  records: [],
  done: async () => {},
  release: () => Promise.reject(new Error('the disk is gone')),
})

it("whoever gives up waiting gets no claim, and is in nobody's way", async () => {
  const spill = new BoundedClaims(spillOf([claim(), claim()]), 1)
  const first = await spill.claim(target)
  const leaving = new AbortController()
  const left = spill.claim(target, leaving.signal)
  const last = spill.claim(target)
  leaving.abort()
  expect(await left).toBeUndefined()
  await expect(first?.release()).rejects.toThrow('the disk is gone')
  expect(await last).toBeDefined()
  expect(await spill.claim(target, leaving.signal)).toBeUndefined()
})

it('so many claims are held at a time, however they end', async () => {
  const spill = new BoundedClaims(
    spillOf([claim(), undefined, new Error('no'), claim(), claim(), claim()]),
    2,
  )
  const first = await spill.claim(target)
  expect(await spill.claim(target)).toBeUndefined()
  await expect(spill.claim(target)).rejects.toThrow('no')
  const second = await spill.claim(target)
  let third: SpillClaim | undefined
  const waiting = spill.claim(target).then((it) => {
    third = it
  })
  await new Promise(setImmediate)
  expect(third).toBeUndefined()
  await expect(first?.release()).rejects.toThrow('the disk is gone')
  await waiting
  expect(third).toBeDefined()
  let fourth: SpillClaim | undefined
  const last = spill.claim(target).then((it) => {
    fourth = it
  })
  await new Promise(setImmediate)
  expect(fourth).toBeUndefined()
  await second?.done()
  await last
  expect(fourth).toBeDefined()
})
