import { statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { showPath } from '../../plugin/settings/problems.js'
import { isJsonObject, type JsonObject } from '../json-object.js'

/** Gives what the module at an absolute path exports. @throws what loading it throws */
export type LoadModule = (path: string) => unknown

/**
 * Puts in place of each destination's `transform` that is a path the function that the module there exports by default:
 * a config file can hold no function. Paths are relative to the working directory, as those of `spill` are. A module is
 * loaded once for each process, and not again when it changes.
 *
 * @param file - what the config file holds
 */
export function withTransforms(
  file: unknown,
  load: LoadModule = requireModule,
): { value: unknown; problems: readonly string[] } {
  const problems: string[] = []
  const loaded = (destination: unknown, path: readonly PropertyKey[]): unknown => {
    if (!isJsonObject(destination) || typeof destination['transform'] !== 'string') return destination
    const { transform, ...rest } = destination
    try {
      return { ...rest, transform: functionOf(load(resolve(transform))) }
    } catch (error) {
      problems.push(`${showPath([...path, 'transform'])}: ${JSON.stringify(transform)} ${whyNot(error)}`)
      return rest
    }
  }
  const value = mapMember(file, 'sources', (source, i) =>
    mapMember(source, 'destination', (destination, j) =>
      loaded(destination, ['sources', ...i, 'destination', ...j]),
    ),
  )
  return { value, problems }
}

/** A copy whose member, or each item of it where it is a list, is what `map` makes of it. */
function mapMember(
  given: unknown,
  name: string,
  map: (item: unknown, index: readonly number[]) => unknown,
): unknown {
  if (!isJsonObject(given) || given[name] === undefined) return given
  const member = given[name]
  const mapped = Array.isArray(member) ? member.map((item, i) => map(item, [i])) : map(member, [])
  return { ...given, [name]: mapped } satisfies JsonObject
}

/** ES modules too: those that do not wait for anything as they load. */
function requireModule(path: string): unknown {
  const stats = statSync(path, { throwIfNoEntry: false })
  // Whoever reads a pipe waits for a writer: this thread would, and no signal be handled.
  if (stats !== undefined && !stats.isFile() && !stats.isDirectory()) throw new Error('it is no file')
  return createRequire(pathToFileURL(path))(path)
}

function functionOf(loaded: unknown): unknown {
  const { default: exported = loaded } = Object(loaded) as { default?: unknown }
  if (typeof exported === 'function') return exported
  throw new TypeError('it has no function as its default export')
}

function whyNot(error: unknown): string {
  const { code, message } = Object(error) as { code?: unknown; message?: unknown }
  if (code === 'MODULE_NOT_FOUND')
    return 'is not there, or needs a module that is not; give the path of a module'
  return `cannot be used: ${String(message ?? error).split('\n', 1)[0]}`
}
