/**
 * Reads dates in the many forms in which languages write them. Nothing here depends on the time zone of the process.
 * `Date.parse` would read most of these as local time, and would take 30 February for 2 March.
 */

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000

/**
 * Zone names that say an offset, in hours ahead of UTC: those of RFC 2822, section 4.3, and those of the tz database that
 * only neighbours share. IST, BST and others mean different offsets in different countries.
 */
const ZONE_HOURS: Readonly<Record<string, number>> = {
  ...{ EST: -5, EDT: -4, CST: -6, CDT: -5, MST: -7, MDT: -6, PST: -8, PDT: -7 },
  ...{ HST: -10, AKST: -9, AKDT: -8, WET: 0, WEST: 1, CET: 1, CEST: 2, EET: 2, EEST: 3, MSK: 3 },
  ...{ JST: 9, AEST: 10, AEDT: 11, NZST: 12, NZDT: 13 },
}

const MONTHS = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
]

const FRACTION = String.raw`(?:[.,](?<fraction>\d+))?`
const ISO_CLOCK = String.raw`(?<hour>\d\d)(?::?(?<minute>\d\d)(?::?(?<second>\d\d)${FRACTION})?)?`
const ISO_TIME = String.raw`(?:t|\s+)${ISO_CLOCK}(?<zone>.*)`
const CLOCK = String.raw`(?<hour>\d\d?):(?<minute>\d\d)(?::(?<second>\d\d)${FRACTION})?(?:\s*(?<half>[ap])\.?m\.?)?`
const WEEKDAY = String.raw`(?:[a-z]{3,9}\.?,?\s+)?`
const MONTH = String.raw`(?<month>[a-z]{3,9})\.?`

/** Each has some of the groups that {@link Parts} names. */
const FORMS = [
  // ISO 8601, and what languages make of it: a space in place of the T, slashes, months and days of one digit.
  String.raw`(?<year>[+-]\d{6}(?=-)|\d{4})(?:[-/](?<month>\d\d?)(?:[-/](?<day>\d\d?)(?:${ISO_TIME})?)?)?`,
  // ISO 8601 without separators.
  String.raw`(?<year>\d{4})(?<month>\d\d)(?<day>\d\d)(?:${ISO_TIME})?`,
  // RFC 2822 and HTTP: Fri, 02 Jan 2026 12:00:00 +0000
  String.raw`${WEEKDAY}(?<day>\d\d?)[\s-]+${MONTH}[\s,-]+(?<year>\d{4}|\d\d)(?:,?\s+${CLOCK}(?<zone>.*))?`,
  // JavaScript: Fri Jan 02 2026 12:00:00 GMT+0000 (UTC). Java's DateFormat, which Gson uses: Jan 2, 2026, 12:00:00 PM
  String.raw`${WEEKDAY}${MONTH}\s+(?<day>\d\d?),?\s+(?<year>\d{4})(?:,?\s+(?:at\s+)?${CLOCK}(?<zone>.*))?`,
  // Java's Date.toString(), C's asctime() and the command `date`: Fri Jan  2 12:00:00 UTC 2026
  String.raw`${WEEKDAY}${MONTH}\s+(?<day>\d\d?)\s+${CLOCK}(?<zone>.*?)\s+(?<year>\d{4})`,
].map((form) => new RegExp(`^${form}$`, 'i'))

const OFFSET = String.raw`(?<sign>[+\-\u2212])(?<hours>\d\d?)(?::?(?<minutes>\d\d)(?::?(?<seconds>\d\d))?)?`
/** What may follow an offset without changing it: the zone's name of JavaScript or Java, the name and clock of Go. */
const ZONE_NOTE = String.raw`\s*\(.*\)|\s*\[.*\]|\s+[a-z\d+-]{1,5}(?:\s+m=\S+)?`
const ZONE = new RegExp(`^(?<utc>z|utc|gmt|ut)?\\s*(?:${OFFSET})?(?:${ZONE_NOTE})?$`, 'i')

/** The parts of a date as text; a form leaves some of them out. */
interface Parts {
  readonly year: string
  readonly month?: string
  readonly day?: string
  readonly hour?: string
  readonly minute?: string
  readonly second?: string
  readonly fraction?: string
  /** `a` of a.m. or `p` of p.m. */
  readonly half?: string
  readonly zone?: string
}

/**
 * The time that a text means, in ms since 1970; `undefined` where it has none of the forms, NaN where it has one but is
 * no time. Week dates, and dates whose day cannot be told from the month (1/2/2026), have none of the forms.
 *
 * @param text - without space around it; SECURITY: short
 */
export function parseDateText(text: string): number | undefined {
  for (const form of FORMS) {
    const parts = form.exec(text)?.groups as Parts | undefined
    if (parts !== undefined) return timeOf(parts)
  }
  return undefined
}

function timeOf(parts: Parts): number {
  const day = Number(parts.day ?? 1)
  const date = new Date(0)
  date.setUTCFullYear(yearOf(parts.year), monthOf(parts.month) - 1, day)
  // A day that its month does not have has become one of the next month.
  if (date.getUTCDate() !== day) return Number.NaN
  return date.getTime() + clockOf(parts) - offsetOf(parts.zone?.trim() ?? '')
}

/** Two digits are of this century up to 49, and of the last from 50 on. Source: RFC 2822, section 4.3. */
function yearOf(text: string): number {
  const year = Number(text)
  if (text.length !== 2) return year
  return year < 50 ? 2000 + year : 1900 + year
}

/** From 1 to 12, or NaN. */
function monthOf(text = '1'): number {
  const month = /^\d/.test(text)
    ? Number(text)
    : MONTHS.findIndex((it) => it.startsWith(text.toLowerCase())) + 1
  return month >= 1 && month <= 12 ? month : Number.NaN
}

/** Ms since midnight, or NaN. 24:00 is the midnight that ends the day; a leap second counts as the one after it. */
function clockOf({ hour = '0', minute = '0', second = '0', fraction = '', half }: Parts): number {
  const hours = half === undefined ? Number(hour) : hourOfDay(Number(hour), half)
  const ms = Number(minute) * MINUTE_MS + Number(second) * 1000 + Number(`${fraction}000`.slice(0, 3))
  if (Number(minute) > 59 || Number(second) > 60 || hours > 24 || (hours === 24 && ms > 0)) return Number.NaN
  return hours * HOUR_MS + ms
}

/** Of a clock with twelve hours; NaN where it has no such hour. */
function hourOfDay(hour: number, half: string): number {
  if (hour < 1 || hour > 12) return Number.NaN
  return (hour % 12) + (half.toLowerCase() === 'p' ? 12 : 0)
}

/** Ms that a zone is ahead of UTC; NaN where its name alone does not say it. */
function offsetOf(zone: string): number {
  if (zone === '') return 0
  const named = ZONE_HOURS[zone.toUpperCase()]
  if (named !== undefined) return named * HOUR_MS
  const { utc, sign, hours = '0', minutes = '0', seconds = '0' } = ZONE.exec(zone)?.groups ?? {}
  if (utc === undefined && sign === undefined) return Number.NaN
  if (Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) > 59) return Number.NaN
  const ahead = Number(hours) * HOUR_MS + Number(minutes) * MINUTE_MS + Number(seconds) * 1000
  return sign === '+' || sign === undefined ? ahead : -ahead
}
