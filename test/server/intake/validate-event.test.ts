import { expect, it } from '@jest/globals'
import { MAX_INTEGRATIONS_BYTES, validateEvent } from '../../../server/intake/validate-event.js'
import { scannedEvent } from './scanned.js'

const problemOf = (json: string, type: unknown = 'page') => validateEvent(scannedEvent(json), type)

const NO_IDENTITY = 'The event has no userId and no anonymousId'
const NO_NAME = 'The track event has no event name: `event` must be a string'

it.each([
  ['{"userId":7}', undefined],
  ['{"userId":0}', undefined],
  ['{"userId":9007199254740993}', undefined],
  ['{"userId":1e999}', NO_IDENTITY],
  ['{"userId":""}', NO_IDENTITY],
  ['{"userId":null,"anonymousId":{}}', NO_IDENTITY],
  ['{"userId":null,"anonymousId":"a"}', undefined],
  ['{"groupId":"g"}', undefined],
  ['{"previousId":"p"}', undefined],
])('asks for an identity, which may be a number: %s', (json, problem) => {
  expect(problemOf(json)).toBe(problem)
})

it.each([
  ['{"userId":"u","event":"E"}', undefined],
  ['{"userId":"u","event":" "}', NO_NAME],
  ['{"userId":"u","event":7}', NO_NAME],
  ['{"userId":"u"}', NO_NAME],
])('asks for the name of a track event: %s', (json, problem) => {
  expect(problemOf(json, 'track')).toBe(problem)
})

it('refuses integrations that no library sends', () => {
  const withIntegrations = (bytes: number) => `{"userId":"u","integrations":{"x":"${'y'.repeat(bytes)}"}}`
  expect(problemOf(withIntegrations(1_000))).toBeUndefined()
  expect(problemOf(withIntegrations(MAX_INTEGRATIONS_BYTES))).toMatch(
    /integrations are larger than 32768 bytes/,
  )
})
