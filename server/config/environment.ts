import { showPath } from '../../plugin/settings/problems.js'

export type Environment = Readonly<Record<string, string | undefined>>

export interface UnsetVariable {
  readonly path: readonly PropertyKey[]
  /** The problem as one line. */
  readonly problem: string
}

/** `${NAME}`, `${NAME:-default}`; `$${NAME}` stands for itself without the first dollar. */
const PLACEHOLDER = /\$(\$?)\{([^}]*)\}/g
const VARIABLE = /^(?<name>[A-Za-z_][A-Za-z0-9_]*)(:-(?<fallback>.*))?$/s

/**
 * A copy of `value` with the variables in its strings replaced, keys left alone.
 *
 * SECURITY: what comes from a file must be parsed before: so no variable's value is ever read as YAML.
 */
export function interpolate(value: unknown, env: Environment): { value: unknown; unset: UnsetVariable[] } {
  const unset: UnsetVariable[] = []
  return { value: replaced(value, env, [], unset), unset }
}

function replaced(
  value: unknown,
  env: Environment,
  path: readonly PropertyKey[],
  unset: UnsetVariable[],
): unknown {
  if (typeof value === 'string') return replacedString(value, env, path, unset)
  if (Array.isArray(value)) return value.map((item, i) => replaced(item, env, [...path, i], unset))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value)
  return Object.fromEntries(entries.map(([key, item]) => [key, replaced(item, env, [...path, key], unset)]))
}

function replacedString(
  text: string,
  env: Environment,
  path: readonly PropertyKey[],
  unset: UnsetVariable[],
): string {
  return text.replace(PLACEHOLDER, (whole, escaped: string, inner: string) => {
    if (escaped !== '') return whole.slice(1)
    const { name, fallback } = VARIABLE.exec(inner)?.groups ?? {}
    if (name === undefined) {
      unset.push({
        path,
        problem: `${showPath(path)}: ${whole} names no variable; write \${NAME} or \${NAME:-default}`,
      })
      return whole
    }
    // As in a shell: the default also stands in for an empty value.
    const set = Object.hasOwn(env, name) ? env[name] : undefined
    const found = fallback === undefined ? set : set || fallback
    if (found !== undefined) return found
    unset.push({
      path,
      problem: `${showPath(path)}: the environment variable ${name} is not set; set it, or write \${${name}:-default}`,
    })
    return whole
  })
}
