import { expect, it } from '@jest/globals'
import fc from 'fast-check'
import { deepJson } from '../../../plugin/dead-letters/deep-json.js'

it('writes what JSON.stringify writes', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      // -0 comes as it is from JSON.parse.
      const parsed = JSON.parse(JSON.stringify(value))
      expect(deepJson(parsed)).toBe(JSON.stringify(parsed))
    }),
  )
})

it.each([
  ['arrays', '['.repeat(100_000) + ']'.repeat(100_000)],
  ['objects', `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`],
  ['a wide array', `[${'0,'.repeat(500_000)}0]`],
])('writes what JSON.stringify cannot: %s', (_, json) => {
  expect(deepJson(JSON.parse(json)) === json).toBe(true)
})
