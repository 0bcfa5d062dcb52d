import { expect, it } from '@jest/globals'
import { RestartPolicy } from '../../../server/cli/restart-policy.js'

it('waits longer each time one ends soon after its start, and gives up in the end', () => {
  const policy = new RestartPolicy()
  const waits = [0, 9_999, 5, 5, 5, 5].map((lived) => policy.waitAfter(lived))
  expect(waits).toEqual([100, 200, 400, 800, 1_600, undefined])
})

it('begins anew after one that had started well', () => {
  const policy = new RestartPolicy()
  for (let i = 0; i < 5; i++) policy.waitAfter(0)
  expect([10_000, 0, 3_600_000, 0].map((lived) => policy.waitAfter(lived))).toEqual([0, 100, 0, 100])
})
