import { relative, resolve } from 'node:path'
import type { DeadLetterConfiguration } from '../../plugin/settings/dead-letter-settings.js'
import { DEMO_WRITE_KEY } from '../demo.js'
import type { OpenLocalAws } from './open-local-aws.js'

export interface WelcomeParts {
  readonly url: string
  /** URL of the metrics page, if there is one. */
  readonly metrics: string | undefined
  /** `undefined` for the demo. */
  readonly file: string | undefined
  readonly deadLetters: DeadLetterConfiguration
  /** Of `spillLine`. */
  readonly spill: string
  /** Names of the sources that take events. */
  readonly sources: readonly string[]
  readonly localAws: OpenLocalAws | undefined
  /** Processes that serve. */
  readonly workers: number
}

/** What `serve` says when it listens. */
export function welcome({
  url,
  metrics,
  file,
  deadLetters,
  spill,
  sources,
  localAws,
  workers,
}: WelcomeParts): string[] {
  const lines = [`Listening on ${url}`]
  if (metrics !== undefined) lines.push(`Metrics: ${metrics}`)
  if (workers > 1) lines.push(`Workers: ${workers}`)
  if (file !== undefined) lines.push(`Config file: ${file}, loaded again when it changes`)
  lines.push(`Sources: ${listed(sources)}`)
  lines.push(spill)
  lines.push(`Dead letters, if any: ${placeOfLetters(deadLetters)}`)
  if (localAws === undefined) return lines
  lines.push(`Local AWS (STS, Firehose and SQS): ${localAws.endpoint}`, `Records land in: ${localAws.dir}`)
  return file === undefined ? [...lines, ...demo(url, localAws.dir)] : lines
}

function placeOfLetters(place: DeadLetterConfiguration): string {
  if (place.kind === 'directory') return resolve(place.directory)
  return place.kind === 'queue' ? `the SQS queue ${place.queueUrl}` : `s3://${place.bucket}/${place.prefix}`
}

/** Names shown at most: there can be thousands. */
const MAX_NAMES = 10

function listed(names: readonly string[]): string {
  const shown = names.slice(0, MAX_NAMES).join(', ')
  if (names.length === 0) return 'none that is switched on'
  return names.length > MAX_NAMES ? `${shown} and ${names.length - MAX_NAMES} more` : shown
}

function demo(url: string, dir: string): string[] {
  const event = `{"event":"User Registered","userId":"u1","properties":{"plan":"free"}}`
  return [
    `Demo source: write key ${DEMO_WRITE_KEY}`,
    '',
    'Send an event:',
    '',
    `  curl ${url}/v1/track -u ${DEMO_WRITE_KEY}: -d '${event}'`,
    '',
    'Or paste into a web page what this shows:',
    '',
    `  ${url}/snippet/${DEMO_WRITE_KEY}`,
    '',
    'Look at the records, about a second later:',
    '',
    `  cat ${quoted(relative('', dir) || '.')}/everything/*/*/*/*/*`,
    '',
    'Stop with Ctrl-C.',
  ]
}

function quoted(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`
}
