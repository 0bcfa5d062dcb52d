import { parseDateText } from './date-text.js'

/** The years that `YYYY` can express, in ms since 1970: from the start of 0000 to the end of 9999. */
const FIRST_MS = -62_167_219_200_000
const LAST_MS = 253_402_300_799_999

/**
 * Numbers from 10^8 up to 10^10 are seconds: they mean 1973 to 2286, where ms would mean the first months of 1970.
 * Segment's own library draws the upper line at 3.2 * 10^10 and has no lower one.
 * Source: https://github.com/segmentio/new-date
 */
const FIRST_SECONDS = 1e8
const LAST_SECONDS = 1e10

const NUMBER = /^[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i

/** SECURITY: longer text is not examined. The longest real form is JavaScript's, which spells the zone's name out. */
const MAX_LENGTH = 128

const [DASH, COLON, DOT, PLUS, T, Z, ZERO] = [45, 58, 46, 43, 84, 90, 48]

/**
 * The time that a value means, in ms since 1970; `undefined` where it means none, or one outside the years 0000 to 9999.
 *
 * Text is ISO 8601 or what the languages of Segment's libraries make of a date; a text that names no zone is in UTC,
 * whatever the time zone of the process; fractions are cut to ms. Numbers, also as text, are ms since 1970, or seconds
 * where only seconds make sense.
 */
export function parseTime(value: unknown): number | undefined {
  let time = Number.NaN
  if (typeof value === 'string') time = parseText(value)
  else if (typeof value === 'number') time = parseNumber(value)
  else if (value instanceof Date) time = value.getTime()
  return time >= FIRST_MS && time <= LAST_MS ? time : undefined
}

/**
 * The time that a value means as `YYYY-MM-DDTHH:mm:ss.sssZ`; the value itself where it has that form already.
 * `undefined` as for {@link parseTime}.
 */
export function isoTime(value: unknown): string | undefined {
  const utc = typeof value === 'string' ? utcText(value) : undefined
  if (utc !== undefined) return utc
  const time = parseTime(value)
  return time === undefined ? undefined : new Date(time).toISOString()
}

/** A time in UTC with its fraction made three digits; `undefined` for all others. It needs no Date. */
function utcText(text: string): string | undefined {
  if (text.length > MAX_LENGTH || !hasIsoHead(text)) return undefined
  const zoneAt = endOfFraction(text)
  const after = text.length - zoneAt
  const isUtc = after === 0 || (after === 1 && text.endsWith('Z')) || (after === 6 && text.endsWith('+00:00'))
  if (!isUtc) return undefined
  if (zoneAt === 23 && after === 1) return text
  return zoneAt > 23 ? `${text.slice(0, 23)}Z` : `${text.slice(0, zoneAt)}${'.000'.slice(zoneAt - 19)}Z`
}

function parseNumber(value: number): number {
  // A fraction of a second is not exact in binary: the nearest ms is the one that was meant.
  return value >= FIRST_SECONDS && value < LAST_SECONDS ? Math.round(value * 1000) : Math.trunc(value)
}

function parseText(value: string): number {
  if (value.length > MAX_LENGTH) return Number.NaN
  const time = hasIsoHead(value) ? parseIso(value) : Number.NaN
  if (!Number.isNaN(time)) return time
  const text = value.trim()
  return parseDateText(text) ?? (NUMBER.test(text) ? parseNumber(Number(text)) : Number.NaN)
}

/**
 * Whether a text begins as nearly all times do that senders give, `YYYY-MM-DDTHH:mm:ss`, with a day that there is. As
 * this runs for each event it allocates nothing.
 */
function hasIsoHead(text: string): boolean {
  return (
    text.charCodeAt(4) === DASH &&
    text.charCodeAt(7) === DASH &&
    text.charCodeAt(10) === T &&
    text.charCodeAt(13) === COLON &&
    text.charCodeAt(16) === COLON &&
    isDay(yearIn(text), twoDigits(text, 5), twoDigits(text, 8)) &&
    isBelow(24, twoDigits(text, 11)) &&
    isBelow(60, twoDigits(text, 14)) &&
    isBelow(60, twoDigits(text, 17))
  )
}

/** @returns ms since 1970; NaN where the end of the text has a form that {@link parseDateText} has to read */
function parseIso(text: string): number {
  const year = yearIn(text)
  const zoneAt = endOfFraction(text)
  // `Date.UTC` takes years below 100 for others.
  if (year < 100 || zoneAt < 0) return Number.NaN
  const time = Date.UTC(
    year,
    twoDigits(text, 5) - 1,
    twoDigits(text, 8),
    twoDigits(text, 11),
    twoDigits(text, 14),
    twoDigits(text, 17),
  )
  return time + msIn(text, zoneAt) - offsetAt(text, zoneAt)
}

function yearIn(text: string): number {
  return twoDigits(text, 0) * 100 + twoDigits(text, 2)
}

/** The number that two digits say; below 0 where they are no digits. */
function twoDigits(text: string, at: number): number {
  return digit(text, at) * 10 + digit(text, at + 1)
}

/** Far below 0 where there is no digit, so that a number with one such digit is below 0 as well. */
function digit(text: string, at: number): number {
  const value = text.charCodeAt(at) - ZERO
  return value >= 0 && value <= 9 ? value : -100_000
}

function isBelow(limit: number, value: number): boolean {
  return value >= 0 && value < limit
}

function isDay(year: number, month: number, day: number): boolean {
  if (year < 0 || month < 1 || month > 12 || day < 1) return false
  if (month !== 2) return day <= (month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31)
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return day <= (isLeap ? 29 : 28)
}

/** Where the zone of a text begins; -1 where it has a point without digits. */
function endOfFraction(text: string): number {
  if (text.charCodeAt(19) !== DOT) return 19
  let at = 20
  while (digit(text, at) >= 0) at++
  return at === 20 ? -1 : at
}

function msIn(text: string, zoneAt: number): number {
  if (zoneAt === 19) return 0
  const hundredths = zoneAt > 21 ? digit(text, 21) : 0
  const thousandths = zoneAt > 22 ? digit(text, 22) : 0
  return digit(text, 20) * 100 + hundredths * 10 + thousandths
}

/** Ms that a zone at the end of a text is ahead of UTC; NaN where it is neither `Z` nor such as `+01:00` nor none. */
function offsetAt(text: string, at: number): number {
  const sign = text.charCodeAt(at)
  if (text.length === at || (sign === Z && text.length === at + 1)) return 0
  const hours = twoDigits(text, at + 1)
  const minutes = twoDigits(text, at + 4)
  const isOffset =
    (sign === PLUS || sign === DASH) &&
    text.length === at + 6 &&
    text.charCodeAt(at + 3) === COLON &&
    isBelow(24, hours) &&
    isBelow(60, minutes)
  if (!isOffset) return Number.NaN
  return (sign === PLUS ? 1 : -1) * (hours * 60 + minutes) * 60_000
}
