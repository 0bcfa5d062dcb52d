import { pino } from 'pino'
import { type Clock, systemClock } from '../../plugin/clock.js'
import type { Logger } from '../../plugin/logger.js'
import { unicodeEscaped } from '../../plugin/unicode-escape.js'
import type { RequestEntry } from '../http/request-entry.js'

export type LogFormat = 'json' | 'text'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

export interface LogOptions {
  /** `json` for what collects logs, `text` for people. Both are one line an entry. */
  readonly format: LogFormat
  /** The least level that is written. */
  readonly level: LogLevel
  /** Takes a line without its end, at once and in this turn of the event loop: the process may exit next. */
  readonly write: (line: string) => void
  readonly clock?: Pick<Clock, 'wallTime'>
  /** Of every line. @default none */
  readonly fields?: Readonly<Record<string, number>>
}

/** The log of `serve`. Nothing that becomes of a line throws. */
export interface Log extends Logger {
  info(message: string): void
  warn(message: string): void
  error(message: string): void
  /** At level `debug`. */
  request(entry: RequestEntry): void
}

/** SECURITY: a second guard; whoever logs leaves these out already. */
const SECRETS = [
  'writeKey',
  'authorization',
  'Authorization',
  'secretId',
  'externalId',
  'ExternalId',
  'credentials',
  'accessKeyId',
  'secretAccessKey',
  'sessionToken',
].flatMap((name) => [name, `*.${name}`, `*.*.${name}`])

/** C0, DEL and C1; what some readers take for an end of line; what turns the direction of text. */
const CONTROLS = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

export function createLog({ format, level, write, clock = systemClock, fields }: LogOptions): Log {
  const writeLine = (json: string) => {
    const line = json.trimEnd()
    try {
      write(escaped(format === 'json' ? line : textOf(line)))
    } catch {
      // A log that nobody reads any more stops no delivery.
    }
  }
  const logger = pino(
    {
      level,
      base: fields ?? null,
      redact: SECRETS,
      timestamp: () => `,"time":"${new Date(clock.wallTime()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: writeLine },
  )
  return {
    info: (message) => logger.info(String(message)),
    warn: (message) => logger.warn(String(message)),
    error: (message) => logger.error(String(message)),
    request: (entry) => logger.debug(entry, 'request'),
  }
}

/** `2026-01-02T03:04:05.678Z WARN message field=value` */
function textOf(json: string): string {
  const { level, time, msg, ...fields } = JSON.parse(json) as Record<string, unknown>
  const pairs = Object.entries(fields).map(([name, value]) => `${name}=${worded(value)}`)
  return [time, String(level).toUpperCase(), msg, ...pairs].join(' ')
}

function worded(value: unknown): string {
  return typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value)
}

/** SECURITY: no message makes a second line, or does anything to a terminal. In JSON it is the same text as before. */
function escaped(line: string): string {
  return unicodeEscaped(line, CONTROLS)
}
