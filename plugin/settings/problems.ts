import { closestMatch } from 'leven'
import type * as z from 'zod'
import { FirehoseError } from '../errors.js'

/**
 * Settings whose values are never shown. SECURITY: an external ID is as good as a password to a role, and the `id` of a
 * source is one.
 */
const SECRETS = /^(id|secretId|sourceId|credentials|clientConfig|writeKeys?)$/i

/** SECURITY: a URL may carry a password. */
const URL_CREDENTIALS = /\/\/[^/@\s]*@/g

/** The error with all problems at once, a line each. What several sources have in common is one problem. */
export function settingsError(problems: readonly string[]): FirehoseError {
  const lines = [...new Set(problems)].map((it) => `  ${it}`)
  return new FirehoseError('ERR_SETTINGS', `Wrong settings:\n${lines.join('\n')}`)
}

/**
 * Each wrong setting as one line: its name, the value given, and the fix.
 *
 * @param known - names of all settings, to suggest the one that was meant
 */
export function describeIssues(
  issues: readonly z.core.$ZodIssue[],
  known: readonly string[],
  at: readonly PropertyKey[] = [],
): string[] {
  return issues.flatMap((issue) => {
    const path = [...at, ...issue.path]
    if (issue.code !== 'unrecognized_keys') return [`${showPath(path)}: ${problem(path, issue)}`]
    return issue.keys.map((key) => `${showPath([...path, key])}: is not a setting${suggestion(key, known)}`)
  })
}

function problem(path: readonly PropertyKey[], issue: z.core.$ZodIssue): string {
  if (issue.input === undefined) return `is missing; ${issue.message}`
  return `got ${showValue(issue.input, path)}; ${issue.message}`
}

function suggestion(key: string, known: readonly string[]): string {
  const meant = closestName(key, known)
  return meant === undefined ? `; known are ${known.join(', ')}` : `. Did you mean \`${meant}\`?`
}

/** Returns the known name that a mistyped one most likely means, or `undefined` if none resembles it. */
export function closestName(name: string, known: readonly string[]): string | undefined {
  // Allow one wrong letter in three: names that differ more resemble each other by chance.
  return closestMatch(name, known, { maxDistance: Math.min(3, Math.floor(name.length / 3)) })
}

/** `sources[0].destination.region` */
export function showPath(path: readonly PropertyKey[]): string {
  return path
    .map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i > 0 ? '.' : ''}${String(part)}`))
    .join('')
}

/** A value for a message: short, on one line, secrets left out. */
export function showValue(value: unknown, path: readonly PropertyKey[]): string {
  if (path.some((part) => isSecret(part))) return 'a value (kept secret)'
  if (typeof value === 'function') return 'a function'
  if (typeof value !== 'object' || value === null) return shorten(showScalar(value))
  try {
    const json = JSON.stringify(value, (key, part) =>
      isSecret(key) ? '(kept secret)' : withoutCredentials(part),
    )
    return shorten(json ?? 'an object')
  } catch {
    return 'an object that is not JSON'
  }
}

function showScalar(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`
  return typeof value === 'string' ? JSON.stringify(withoutCredentials(value)) : String(value)
}

function withoutCredentials(value: unknown): unknown {
  return typeof value === 'string' ? value.replace(URL_CREDENTIALS, '//') : value
}

function isSecret(name: PropertyKey): boolean {
  return typeof name === 'string' && SECRETS.test(name)
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}
