import * as z from 'zod'
import type { Logger } from '../logger.js'

// What settings are made of, in the plugin and in the proxy alike. Each says in its error how to mend it.

/** Source: ExternalId of https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
export const EXTERNAL_ID = /^[\w+=,.@:/-]{2,1224}$/
export const EXTERNAL_ID_RULE = 'has 2 to 1224 of a-z A-Z 0-9 _ + = , . @ : / -'

export function matching(pattern: RegExp, error: string) {
  return z.string({ error }).regex(pattern, { error })
}

export function oneOf<const T extends readonly [string, ...string[]]>(values: T) {
  return z.enum(values, { error: `use one of ${values.map((value) => `'${value}'`).join(', ')}` })
}

/** Digits in a string count as a number: values that come from the environment are strings. */
export function integer(min: number, max: number, unit?: string) {
  const error = `use a whole number${unit === undefined ? '' : ` of ${unit}`} from ${min} to ${max}`
  return z.preprocess(
    (given) => (typeof given === 'string' && /^\d{1,15}$/.test(given) ? Number(given) : given),
    z.int({ error }).min(min, { error }).max(max, { error }),
  )
}

/** `true` and `false` in a string count too, as in {@link integer}. */
export function flag() {
  return z.preprocess(
    (given) => (given === 'true' || given === 'false' ? given === 'true' : given),
    z.boolean({ error: 'use true or false' }),
  )
}

export function httpUrl() {
  return z.url({ protocol: /^https?$/, error: 'give a URL that starts with https:// or http://' })
}

/** SECURITY: a URL may carry the proxy's password; it is left out where a value is shown. */
export function httpsProxy() {
  const error = "give the proxy's URL, such as http://proxy.example.com:3128, or false for no proxy"
  return z.preprocess(
    (given) => (given === 'false' ? false : given),
    z.custom<string | false>((given) => given === false || isProxyUrl(given), { error }),
  )
}

export function logger() {
  return z.custom<Logger>(isLogger, { error: 'give an object with info, warn and error, such as console' })
}

function isProxyUrl(given: unknown): boolean {
  return typeof given === 'string' && /^https?:\/\//i.test(given) && URL.canParse(given)
}

function isLogger(given: unknown): boolean {
  return (['info', 'warn', 'error'] as const).every(
    (level) => typeof (given as Partial<Logger> | null)?.[level] === 'function',
  )
}
