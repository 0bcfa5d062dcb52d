import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { timestampsOf } from '../../../server/intake/timestamps.js'

const RECEIVED = '2026-01-02T12:00:00.000Z'
const MINUTE = 60_000

/** So many minutes from RECEIVED. */
const at = (minutes: number) => new Date(Date.parse(RECEIVED) + minutes * MINUTE).toISOString()

const justBefore = (time: string) => new Date(Date.parse(time) - 1).toISOString()

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
    ['a sentAt that is no date', { timestamp: at(-500), sentAt: 'soon' }, { timestamp: at(-500) }],
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

  it.each([null, undefined, 'soon', '2026-02-30T00:00:00Z', {}, [], true, '', 1e300])(
    'have no sentAt where none was given that is a time: %j',
    (sentAt) => {
      const times = timestampsOf({ timestamp: at(-500), sentAt }, RECEIVED)
      expect(times).toEqual({ originalTimestamp: at(-500), timestamp: at(-500), receivedAt: RECEIVED })
      expect(times).not.toHaveProperty('sentAt')
    },
  )

  it('are in one form, but for the original, which stays as it came', () => {
    const timestamp = '2026-01-02 13:58:00.123456 +0200'
    expect(timestampsOf({ timestamp, sentAt: 'Fri, 02 Jan 2026 11:59:00 GMT' }, RECEIVED)).toEqual({
      originalTimestamp: timestamp,
      timestamp: '2026-01-02T11:58:00.123Z',
      sentAt: '2026-01-02T11:59:00.000Z',
      receivedAt: RECEIVED,
    })
  })

  it('are in one form for an event that another collector corrected', () => {
    const given = {
      timestamp: 1_767_355_020,
      originalTimestamp: '2026-01-02 11:00',
      sentAt: '2026-01-02 11:02',
    }
    expect(timestampsOf(given, RECEIVED)).toEqual({
      originalTimestamp: '2026-01-02 11:00',
      timestamp: at(-3),
      sentAt: at(-58),
      receivedAt: RECEIVED,
    })
  })

  it('are corrected where what another collector gave as corrected is no time', () => {
    const given = { timestamp: 'then', originalTimestamp: at(-63), sentAt: at(-60) }
    expect(timestampsOf(given, RECEIVED).timestamp).toBe(at(-3))
  })

  it.each([[{ an: 'object' }], [[1]], ['2026-02-30'], [1e300], [false], ['']])(
    'have our own for one that is no time, and the original as it came: %j',
    (timestamp) => {
      const times = timestampsOf({ timestamp, sentAt: at(0) }, RECEIVED)
      expect(times.timestamp).toBe(RECEIVED)
      // The same object, by which callers know to copy its text.
      expect(times.originalTimestamp).toBe(timestamp)
    },
  )

  it('take times in the form that we write as they are, and construct no Date for them', () => {
    const original = globalThis.Date
    const given = { timestamp: at(-2), sentAt: at(-1) }
    const expected = { ...given, originalTimestamp: at(-2), receivedAt: RECEIVED }
    class NoDate extends original {
      constructor() {
        super()
        throw new Error('a Date was constructed')
      }
    }
    globalThis.Date = NoDate as DateConstructor
    try {
      expect(timestampsOf(given, RECEIVED)).toEqual(expected)
    } finally {
      globalThis.Date = original
    }
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

  it.each<[string, Record<string, unknown>]>([
    ['an hour before it happened, by a clock ahead', { timestamp: at(180), sentAt: at(120) }],
    ['a ms before it happened, by a clock ahead', { timestamp: at(120), sentAt: justBefore(at(120)) }],
    ['an hour before it happened, by a clock behind', { timestamp: at(-60), sentAt: at(-120) }],
    ['before an appointment of next week', { timestamp: at(10_080), sentAt: at(-6) }],
  ])('are not corrected where it says to be sent %s', (_name, given) => {
    expect(timestampsOf(given, RECEIVED).timestamp).toBe(given['timestamp'])
  })

  it('are corrected where only the fraction of a second makes it sent before it happened, as from PHP', () => {
    const given = { timestamp: '2026-01-02T13:00:00.1234+00:00', sentAt: '2026-01-02T13:00:00+00:00' }
    expect(timestampsOf(given, RECEIVED).timestamp).toBe(RECEIVED)
  })

  it('are never made later than the time of arrival, nor left before it by more than the wait', () => {
    const ms = fc.integer({ min: -1e11, max: 1e11 })
    const library = fc.constantFrom(undefined, 'analytics.js', 'analytics-kotlin', 'unheard-of')
    fc.assert(
      fc.property(ms, ms, library, (happened, sent, library) => {
        const [timestamp, sentAt] = [happened, sent].map((it) =>
          new Date(Date.parse(RECEIVED) + it).toISOString(),
        )
        const times = timestampsOf({ timestamp, sentAt }, RECEIVED, { library })
        if (times.timestamp === timestamp) return
        expect(times.timestamp <= RECEIVED).toBe(true)
        expect(Date.parse(RECEIVED) - Date.parse(times.timestamp)).toBe(Math.max(0, sent - happened))
      }),
    )
  })

  it('never throw, and are always in one form', () => {
    const time = fc.oneof(
      fc.jsonValue(),
      fc.date().map((it) => it.toJSON()),
      fc.double(),
      fc.constantFrom(
        '2026-01-02 12:00',
        '2026-01-02T12:00:00+05:30',
        1_767_355_200,
        '9999-12-31T23:59:59-23:59',
      ),
    )
    const given = fc.record({ timestamp: time, originalTimestamp: time, sentAt: time }, { requiredKeys: [] })
    fc.assert(
      fc.property(given, fc.constantFrom('segment', 'keep'), (given, timestamps) => {
        const times = timestampsOf(given, RECEIVED, { timestamps })
        for (const text of [times.timestamp, times.receivedAt, times.sentAt ?? RECEIVED]) {
          expect(text).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
        }
        expect(times.originalTimestamp).toBe(given.originalTimestamp ?? given.timestamp ?? RECEIVED)
      }),
    )
  })
})

describe('a sentAt', () => {
  const STAMPING_ONCE = [
    ...['analytics-kotlin', 'analytics-swift', 'Analytics-CSharp', 'analytics-java', 'analytics-go'],
    ...['Analytics.NET', 'analytics-php', 'analytics-node', 'analytics_elixir'],
  ]
  const OTHERS = [
    ...[
      'analytics.js',
      '@segment/analytics-node',
      'analytics-react-native',
      'analytics_flutter',
      'analytics-ios',
    ],
    ...['analytics-android', 'analytics-python', 'analytics-ruby', 'Analytics.Xamarin', 'unheard-of'],
    ...[undefined, null, 7, {}, 'x'.repeat(5_000_000)],
  ]
  const behind = { timestamp: at(-190), sentAt: at(-180) }
  const ahead = { timestamp: at(170), sentAt: at(180) }

  it.each(STAMPING_ONCE)('in the past is delayed delivery where %s stamped it', (library) => {
    expect(timestampsOf(behind, RECEIVED, { library }).timestamp).toBe(at(-190))
  })

  it.each(OTHERS.map((it) => [it]))(
    'in the past is a clock that is slow where %.40j stamped it',
    (library) => {
      expect(timestampsOf(behind, RECEIVED, { library }).timestamp).toBe(at(-10))
    },
  )

  it.each([...STAMPING_ONCE, ...OTHERS].map((it) => [it]))(
    'in the future is a clock that is fast, whoever stamped it: %.40j',
    (library) => {
      expect(timestampsOf(ahead, RECEIVED, { library }).timestamp).toBe(at(-10))
    },
  )
})

describe("with the setting 'keep'", () => {
  it.each([
    [{ timestamp: at(-63), sentAt: at(-60) }, at(-63)],
    [{ timestamp: at(1_430), sentAt: at(1_440) }, at(1_430)],
    [{ timestamp: '2026-01-02 10:00' }, at(-120)],
    [{ originalTimestamp: at(-63), sentAt: at(-60) }, at(-63)],
    [{ timestamp: at(-3), originalTimestamp: at(-63) }, at(-3)],
    [{ timestamp: 'then', sentAt: at(-60) }, RECEIVED],
    [{ sentAt: at(-60) }, RECEIVED],
  ])("the sender's own time stays, in one form: %j", (given, timestamp) => {
    expect(timestampsOf(given, RECEIVED, { timestamps: 'keep' })).toMatchObject({
      timestamp,
      receivedAt: RECEIVED,
    })
  })
})
