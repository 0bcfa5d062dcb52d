import { execFileSync } from 'node:child_process'
import { describe, expect, it } from '@jest/globals'
import { buildSync } from 'esbuild'
import fc from 'fast-check'
import { isoTime, parseTime } from '../../plugin/event-time.js'

const NOON = '2026-01-02T12:00:00.000Z'
const NOON_123 = '2026-01-02T12:00:00.123Z'
const MIDNIGHT = '2026-01-02T00:00:00.000Z'

/** What a sender may give, and the time that it means. */
const TIMES: readonly [string, unknown, string][] = [
  ['our own form', NOON_123, NOON_123],
  ['the first year with four digits', '0000-01-01T00:00:00.000Z', '0000-01-01T00:00:00.000Z'],
  ['a year below 100', '0099-12-31T23:59:59.999Z', '0099-12-31T23:59:59.999Z'],
  ["Go's and .NET's zero time", '0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
  ['the last time of 9999', '9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
  ['29 February of a leap year', '2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
  ['29 February of 2000', '2000-02-29T00:00:00Z', '2000-02-29T00:00:00.000Z'],
  // Fractions
  ['no fraction', '2026-01-02T12:00:00Z', NOON],
  ['tenths', '2026-01-02T12:00:00.1Z', '2026-01-02T12:00:00.100Z'],
  ['hundredths', '2026-01-02T12:00:00.12Z', '2026-01-02T12:00:00.120Z'],
  ["Python's microseconds", '2026-01-02T12:00:00.123999+00:00', NOON_123],
  ["C#'s 100 ns", '2026-01-02T12:00:00.1239999Z', NOON_123],
  ["Go's nanoseconds", '2026-01-02T13:00:00.123999999+01:00', NOON_123],
  [
    'nanoseconds that would round up to the next day',
    '2026-01-02T23:59:59.999999999Z',
    '2026-01-02T23:59:59.999Z',
  ],
  ['a comma', '2026-01-02T12:00:00,123Z', NOON_123],
  // Zones
  ['no zone', '2026-01-02T12:00:00.123', NOON_123],
  [".NET's time of unspecified kind", '2026-01-02T12:00:00.1230000', NOON_123],
  ['no zone and a space', '2026-01-02 12:00:00', NOON],
  ['a date only', '2026-01-02', MIDNIGHT],
  ['an offset', '2026-01-02T17:30:00+05:30', NOON],
  ['a negative offset', '2026-01-02T09:30:00.123-02:30', NOON_123],
  ['an offset without a colon', '2026-01-02T17:30:00+0530', NOON],
  ['an offset in hours', '2026-01-02T17:00:00+05', NOON],
  ['an offset of seconds', '2026-01-02T12:00:30+00:00:30', NOON],
  ['an unknown offset', '2026-01-02T12:00:00-00:00', NOON],
  ['a typographic minus', '2026-01-02T11:00:00\u221201:00', NOON],
  ['an offset into the year before', '2026-01-01T00:30:00+01:00', '2025-12-31T23:30:00.000Z'],
  ["Ruby's Time#to_s", '2026-01-02 13:00:00 +0100', NOON],
  ["Ruby's Time#to_s of UTC", '2026-01-02 12:00:00 UTC', NOON],
  ["Go's Time.String()", '2026-01-02 17:30:00.123456789 +0530 IST m=+0.000012345', NOON_123],
  ["Go's Time.String() without a name", '2026-01-02 17:30:00 +0530 +0530', NOON],
  ["Java's ZonedDateTime", '2026-01-02T13:00+01:00[Europe/Paris]', NOON],
  ["Java's ZonedDateTime of UTC", '2026-01-02T12:00Z[UTC]', NOON],
  ['the name of a zone', '2026-01-02 07:00:00 EST', NOON],
  // Forms of ISO 8601
  ['lower case', '2026-01-02t12:00:00.123z', NOON_123],
  ['no seconds', '2026-01-02T12:00Z', NOON],
  ['no minutes', '2026-01-02T12Z', NOON],
  ['no separators', '20260102T120000.123Z', NOON_123],
  ['no separators, an offset', '20260102T173000+0530', NOON],
  ['a date without separators', '20260102', MIDNIGHT],
  ['a time without separators', '2026-01-02T1200Z', NOON],
  ['a month', '2026-01', '2026-01-01T00:00:00.000Z'],
  ['a year', '2026', '2026-01-01T00:00:00.000Z'],
  ['a year with a sign', '+002026-01-02T12:00:00.000Z', NOON],
  ['slashes', '2026/01/02 12:00:00', NOON],
  ['single digits', '2026-1-2 12:00', NOON],
  ['the end of the day', '2026-01-01T24:00:00Z', MIDNIGHT],
  ['a leap second', '2016-12-31T23:59:60Z', '2017-01-01T00:00:00.000Z'],
  ['a leap second with a fraction', '2016-12-31T23:59:60.5Z', '2017-01-01T00:00:00.500Z'],
  ['space around it', ` ${NOON_123}\n`, NOON_123],
  // What languages make of dates
  ['RFC 2822', 'Fri, 02 Jan 2026 13:00:00 +0100', NOON],
  ['RFC 2822 without a weekday and seconds', '2 Jan 2026 12:00 GMT', NOON],
  ['RFC 2822 with a year of two digits', '2 Jan 26 12:00 +0000', NOON],
  ['RFC 2822 with a comment', 'Fri, 02 Jan 2026 12:00:00 +0000 (UTC)', NOON],
  ['RFC 850', 'Friday, 02-Jan-26 12:00:00 GMT', NOON],
  ["JavaScript's Date.toString()", 'Fri Jan 02 2026 17:30:00 GMT+0530 (India Standard Time)', NOON],
  ["JavaScript's Date.toUTCString()", 'Fri, 02 Jan 2026 12:00:00 GMT', NOON],
  ["JavaScript's Date.toDateString()", 'Fri Jan 02 2026', MIDNIGHT],
  ["Java's Date.toString()", 'Fri Jan 02 12:00:00 UTC 2026', NOON],
  ["Java's Date.toString() in New York", 'Fri Jan 02 07:00:00 EST 2026', NOON],
  ["Java's Date.toString() in Paris in summer", 'Thu Jul 02 14:00:00 CEST 2026', '2026-07-02T12:00:00.000Z'],
  ["Java's Date.toString() with an offset", 'Fri Jan 02 13:00:00 GMT+01:00 2026', NOON],
  ["C's asctime()", 'Fri Jan  2 12:00:00 2026', NOON],
  ["Gson's default", 'Jan 2, 2026, 12:00:00 PM', NOON],
  ["Gson's default since JDK 20", 'Jan 2, 2026, 12:00:00\u202fPM', NOON],
  ['midnight of a clock with twelve hours', 'Jan 2, 2026 12:00:00 AM', MIDNIGHT],
  ['the names of months', 'January 2, 2026 at 1:00 PM UTC+1', NOON],
  ['any case', 'fri jan 02 12:00:00 utc 2026', NOON],
  // Numbers
  ['ms', 1_767_355_200_123, NOON_123],
  ['ms with a fraction', 1_767_355_200_123.75, NOON_123],
  ['seconds', 1_767_355_200, NOON],
  ['seconds with a fraction', 1_767_355_200.123, NOON_123],
  ['seconds of the last century', 946_684_800, '2000-01-01T00:00:00.000Z'],
  ['0', 0, '1970-01-01T00:00:00.000Z'],
  ['-0', -0, '1970-01-01T00:00:00.000Z'],
  ['a device that has just started', 180_000, '1970-01-01T00:03:00.000Z'],
  ['a negative number', -1, '1969-12-31T23:59:59.999Z'],
  ['a negative number of ms', -1_767_355_200_000, '1913-12-30T12:00:00.000Z'],
  ['the last ms of 9999', 253_402_300_799_999, '9999-12-31T23:59:59.999Z'],
  ['ms as text', '1767355200123', NOON_123],
  ['seconds as text', '1767355200', NOON],
  ['seconds with a fraction as text', '1767355200.123', NOON_123],
  ['a Java double as text', '1.767355200123E12', NOON_123],
  ['a Date', new Date(NOON_123), NOON_123],
]

const NO_TIMES: readonly [string, unknown][] = [
  ['undefined', undefined],
  ['null', null],
  ['true', true],
  ['an object', {}],
  ['an array', [NOON]],
  ['empty text', ''],
  ['space', '  '],
  ['a word', 'yesterday'],
  ['a Date without a time', new Date(Number.NaN)],
  ['30 February', '2026-02-30T00:00:00.000Z'],
  ['30 February with an offset', '2026-02-30T00:00:00+01:00'],
  ['29 February of another year', '2026-02-29'],
  ['29 February of 1900', '1900-02-29T00:00:00.000Z'],
  ['31 April', '2026-04-31T00:00:00.000Z'],
  ['31 June in words', 'Jun 31, 2026 12:00:00 PM'],
  ['month 13', '2026-13-01T00:00:00.000Z'],
  ['month 0', '2026-00-01T00:00:00.000Z'],
  ['day 0', '2026-01-00T00:00:00.000Z'],
  ['day 32', '2026-01-32'],
  ["MySQL's zero date", '0000-00-00 00:00:00'],
  ['25:00', '2026-01-02T25:00:00.000Z'],
  ['24:00:01', '2026-01-02T24:00:01Z'],
  ['minute 60', '2026-01-02T12:60:00.000Z'],
  ['second 61', '2026-01-02T12:00:61.000Z'],
  ['13 PM', 'Jan 2, 2026 13:00:00 PM'],
  ['an offset of a day', '2026-01-02T12:00:00+24:00'],
  ['an offset of 60 minutes', '2026-01-02T12:00:00+01:60'],
  ['half an offset', '2026-01-02T12:00:00.000+'],
  ['no digits after the point', '2026-01-02T12:00:00.Z'],
  ['no time after the T', '2026-01-02T'],
  ['digits that are not Latin', '٢٠٢٦-٠١-٠٢T١٢:٠٠:٠٠Z'],
  ['something after the Z', `${NOON}x`],
  ['a zone whose offset depends on who reads it', 'Fri Jan 02 12:00:00 IST 2026'],
  ['a zone of its rules only', '2026-01-02T12:00:00[Europe/Paris]'],
  ['a week date', '2026-W01-5'],
  ['a day of the year', '2026-002'],
  ['a date whose day may be its month', '1/2/2026'],
  ['a month that is none', 'Fri, 02 Foo 2026 12:00:00 GMT'],
  ['a year beyond 9999', '+010000-01-01T00:00:00.000Z'],
  ['an offset that leads beyond 9999', '9999-12-31T23:30:00-01:00'],
  ['a year before 0', '-000001-01-01T00:00:00.000Z'],
  ['an offset that leads before 0', '0000-01-01T00:00:00+01:00'],
  ['µs', 1_767_355_200_123_456],
  ['the largest time of a Date', 8_640_000_000_000_000],
  ['beyond what a Date can say', 8_640_000_000_000_001],
  ['NaN', Number.NaN],
  ['what JSON.parse makes of 1e999', Number.POSITIVE_INFINITY],
  ['1e999 as text', '1e999'],
  ['hexadecimal', '0x19b7e0c5b7b'],
]

describe('the time that is meant by', () => {
  it.each(TIMES)('%s: %j', (_name, value, time) => {
    expect(isoTime(value)).toBe(time)
    expect(new Date(parseTime(value) as number).toISOString()).toBe(time)
  })

  it.each(NO_TIMES)('%s is none: %j', (_name, value) => {
    expect([isoTime(value), parseTime(value)]).toEqual([undefined, undefined])
  })
})

describe('text', () => {
  it('in the form that we write is given back as it is', () => {
    const any = fc.date({
      min: new Date('0000-01-01T00:00:00.000Z'),
      max: new Date('9999-12-31T23:59:59.999Z'),
      noInvalidDate: true,
    })
    fc.assert(
      fc.property(any, (date) => {
        const text = date.toISOString()
        expect([isoTime(text), parseTime(text)]).toEqual([text, date.getTime()])
      }),
    )
  })

  it('that is a time becomes one in the form that we write, and nothing else is one', () => {
    const part = fc.constantFrom(
      ...[
        '2026',
        '01',
        '02',
        '12',
        '00',
        '60',
        '24',
        '123',
        '-',
        ':',
        '.',
        ',',
        '/',
        '+',
        ' ',
        'T',
        'Z',
        'z',
        't',
      ],
      ...['Jan', 'Fri', 'PM', 'GMT', 'UTC', 'EST', '(', ')', '[', ']', '1767355200', 'e', '٢', '\u202f'],
    )
    fc.assert(
      fc.property(fc.array(part, { maxLength: 14 }), (parts) => {
        const text = isoTime(parts.join(''))
        if (text === undefined) return
        expect(text).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
        expect(new Date(text).toISOString()).toBe(text)
      }),
      { numRuns: 2_000 },
    )
  })

  it('in any zone means what JavaScript says', () => {
    const minutes = fc.integer({ min: -14 * 60, max: 14 * 60 })
    const any = fc.date({ min: new Date('0101-01-01'), max: new Date('9998-12-31'), noInvalidDate: true })
    fc.assert(
      fc.property(any, minutes, fc.constantFrom(':', ''), (date, offset, colon) => {
        const local = new Date(date.getTime() + offset * 60_000).toISOString().slice(0, -1)
        const [hours, rest] = [Math.trunc(Math.abs(offset) / 60), Math.abs(offset) % 60].map((it) =>
          `${it}`.padStart(2, '0'),
        )
        expect(parseTime(`${local}${offset < 0 ? '-' : '+'}${hours}${colon}${rest}`)).toBe(date.getTime())
      }),
    )
  })

  // The form of the rest does not matter then, so that the cost does not grow with the length.
  it('that is longer than any form is none, though a time stands in it', () => {
    expect(isoTime(`${' '.repeat(104)}${NOON}`)).toBe(NOON)
    expect(isoTime(`${' '.repeat(105)}${NOON}`)).toBeUndefined()
    expect(isoTime(`${NOON.slice(0, -1)}${'0'.repeat(5_000_000)}Z`)).toBeUndefined()
  })
})

describe('in a process', () => {
  /** The module as a program that prints what it makes of the values that it is given. */
  const { outputFiles } = buildSync({
    stdin: {
      contents: `import { isoTime } from './plugin/event-time.ts'
        console.log(JSON.stringify(JSON.parse(process.argv[1]).map((it) => isoTime(it) ?? null)))`,
      resolveDir: '.',
    },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
  })
  const program = outputFiles[0]?.text as string

  it.each(['UTC', 'America/New_York', 'Asia/Kolkata', 'Pacific/Apia', 'Europe/Dublin'])(
    'whose time zone is %s all times mean the same',
    (TZ) => {
      // No Dates: they have no place in JSON.
      const times = TIMES.filter(([, value]) => typeof value !== 'object')
      const none = NO_TIMES.filter(([, value]) => typeof value === 'string')
      const values = JSON.stringify([...times, ...none].map(([, value]) => value))
      const args = ['--input-type=module', '-e', program, values]
      const output = execFileSync(process.execPath, args, { env: { ...process.env, TZ }, encoding: 'utf8' })
      expect(JSON.parse(output)).toEqual([...times.map(([, , time]) => time), ...none.map(() => null)])
    },
  )
})
