import { expect, it } from '@jest/globals'
import { invalidity } from '../../../server/intake/invalidity.js'

it.each([
  ['{"userId":7}', undefined],
  ['{"userId":0}', undefined],
  ['{"userId":1e999}', 'The event has no userId and no anonymousId'],
])('takes numbers as identities, where JSON can write them again: %s', (json, problem) => {
  expect(invalidity(JSON.parse(json), 'page')).toBe(problem)
})
