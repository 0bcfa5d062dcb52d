import { InvalidArgumentError } from 'commander'
import { isStreamName, readStream } from '../../plugin/settings/mapped-streams.js'

const TIME = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/

export interface ReplayFlags {
  readonly config: string
  readonly from?: string
  readonly stream?: string
  /** In ms since 1970, as `until`. */
  readonly since?: number
  readonly until?: number
  readonly to?: string
  readonly source?: string
  /** Events a second. */
  readonly rate?: number
  readonly dryRun?: true
}

/** @throws InvalidArgumentError, as do all that read a flag */
export function parseStream(text: string): string {
  const { name } = readStream(text)
  if (isStreamName(name)) return name
  throw new InvalidArgumentError('Give the name of a delivery stream.')
}

/** @returns ms since 1970 */
export function parseTime(text: string): number {
  const time = TIME.test(text) && isDay(text.slice(0, 10)) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(time)) return time
  throw new InvalidArgumentError('Give a time such as 2026-01-02, which is in UTC, or 2026-01-02T03:04:05Z.')
}

/** `Date.parse` takes 30 February for 2 March. */
function isDay(text: string): boolean {
  const day = Date.parse(text)
  return !Number.isNaN(day) && new Date(day).toISOString().startsWith(text)
}

/** @returns events a second */
export function parseRate(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Use a whole number from 1 to 999999.')
}
