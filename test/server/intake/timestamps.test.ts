import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { timestampsOf } from '../../../server/intake/timestamps.js'

const RECEIVED = '2026-01-02T12:00:00.000Z'
const MINUTE = 60_000

/** So many minutes from RECEIVED. */
const at = (minutes: number) => new Date(Date.parse(RECEIVED) + minutes * MINUTE).toISOString()

describe('the times of an event', () => {
  it.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['none given', {}, { timestamp: RECEIVED, originalTimestamp: RECEIVED }],
    [
      'a clock that is right',
      { timestamp: at(-2), sentAt: at(-1) },
      { timestamp: at(-2), originalTimestamp: at(-2) },
    ],
    ['a clock off by five minutes', { timestamp: at(-7), sentAt: at(-5) }, { timestamp: at(-7) }],
    [
      'a clock an hour behind',
      { timestamp: at(-63), sentAt: at(-60) },
      { timestamp: at(-3), originalTimestamp: at(-63) },
    ],
    [
      'a clock a day ahead',
      { timestamp: at(1_430), sentAt: at(1_440) },
      { timestamp: at(-10), sentAt: at(1_440) },
    ],
    [
      'an event of last week, sent now',
      { timestamp: at(-10_080), sentAt: at(0) },
      { timestamp: at(-10_080) },
    ],
    [
      'a clock of 1970',
      { timestamp: new Date(0).toISOString(), sentAt: new Date(MINUTE).toISOString() },
      { timestamp: at(-1) },
    ],
    ['no sentAt', { timestamp: at(-500) }, { timestamp: at(-500) }],
    [
      'a sentAt that is no date',
      { timestamp: at(-500), sentAt: 'soon' },
      { timestamp: at(-500), sentAt: 'soon' },
    ],
    [
      'a timestamp that is no date',
      { timestamp: 'then', sentAt: at(0) },
      { timestamp: RECEIVED, originalTimestamp: 'then' },
    ],
    ['a timestamp that is an object', { timestamp: {} }, { timestamp: RECEIVED, originalTimestamp: {} }],
    [
      'milliseconds',
      { timestamp: 3 * MINUTE, sentAt: 4 * MINUTE },
      { timestamp: at(-1), originalTimestamp: 3 * MINUTE },
    ],
    ['null', { timestamp: null, sentAt: null }, { timestamp: RECEIVED, originalTimestamp: RECEIVED }],
    [
      'times beyond what a Date can say',
      { timestamp: -8_640_000_000_000_000, sentAt: 8_640_000_000_000_000 },
      { timestamp: RECEIVED },
    ],
    [
      'both, from another collector',
      { timestamp: at(-3), originalTimestamp: at(-63), sentAt: at(-60) },
      { timestamp: at(-3) },
    ],
  ])('with %s', (_name, given, times) => {
    expect(timestampsOf(given, RECEIVED)).toMatchObject({ ...times, receivedAt: RECEIVED })
  })

  it('have no sentAt where none was given', () => {
    expect(timestampsOf({ sentAt: null }, RECEIVED)).not.toHaveProperty('sentAt')
  })

  it('keep the wait between an event and its sending, however wrong the clock', () => {
    const days = fc.integer({ min: -10_000, max: 10_000 })
    const minutes = fc.integer({ min: 0, max: 100_000 })
    fc.assert(
      fc.property(days, minutes, (skewDays, waitMinutes) => {
        fc.pre(skewDays !== 0)
        const sentAt = at(skewDays * 1_440)
        const timestamp = at(skewDays * 1_440 - waitMinutes)
        expect(timestampsOf({ timestamp, sentAt }, RECEIVED).timestamp).toBe(at(-waitMinutes))
      }),
    )
  })

  it('never throw, and always have a timestamp', () => {
    fc.assert(
      fc.property(fc.record({ timestamp: fc.jsonValue(), sentAt: fc.jsonValue() }), (given) => {
        expect(timestampsOf(given, RECEIVED).timestamp ?? null).not.toBeNull()
      }),
    )
  })
})
