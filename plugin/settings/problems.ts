import { closestMatch } from 'leven'
import type { z } from 'zod'

/** Settings whose values are never shown. SECURITY: an external ID is as good as a password to a role. */
const SECRETS = /^(secretId|sourceId|credentials|clientConfig|writeKeys?)$/i

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
  const meant = closestMatch(key, known, { maxDistance: 3 })
  return meant === undefined ? `; known are ${known.join(', ')}` : `. Did you mean \`${meant}\`?`
}

/** `sources[0].destination.region` */
export function showPath(path: readonly PropertyKey[]): string {
  return path
    .map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i > 0 ? '.' : ''}${String(part)}`))
    .join('')
}

/** A value for a message: short, on one line, secrets left out. */
export function showValue(value: unknown, path: readonly PropertyKey[]): string {
  if (path.some((part) => typeof part === 'string' && SECRETS.test(part))) return 'a value (kept secret)'
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'bigint') return `${value}n`
  let text: string
  try {
    text = JSON.stringify(value) ?? String(value)
  } catch {
    text = String(value)
  }
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}
