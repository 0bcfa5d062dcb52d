import { readFile } from 'node:fs/promises'
import { parseDocument } from 'yaml'
import type { Logger } from '../../plugin/logger.js'
import { showPath } from '../../plugin/settings/problems.js'
import { isJsonObject } from '../json-object.js'
import { type ConfigResult, readServeConfig, type ServeConfiguration } from './configuration.js'
import { type Environment, interpolate } from './environment.js'
import { type LoadModule, withTransforms } from './transform-modules.js'

/** Where `serve`, `replay` and `iam` look when no file is named. */
export const DEFAULT_CONFIG_FILE = './analytics-firehose.yaml'

/** Where `serve` keeps dead letters when the file does not say. */
export const DEFAULT_DEAD_LETTERS = './dead-letters'

/** Uses of an anchor at most: enough for thousands of sources that share it, and too few to fill the memory. */
const MAX_ALIASES = 10_000

const HOLDS_ITSELF = 'holds itself: an alias (*) stands inside its own anchor (&)'

export interface ConfigFileContext {
  readonly env: Environment
  /** Settings whose variables need not be set, by name, as write keys for who only prints policies. */
  readonly mayBeUnset?: readonly string[]
  /** Where notices go unless the file says. @default console */
  readonly logger?: Logger
  /** Loads the modules of `transform`; for tests. */
  readonly loadModule?: LoadModule
}

/** What a file says, and the text of it. */
export interface LoadedConfig {
  readonly configuration: ServeConfiguration
  /** SECURITY: may hold write keys. */
  readonly text: string
}

/** Why a file was not loaded. */
export interface UnreadConfig {
  /** A line each, without the file's name. */
  readonly problems: readonly string[]
  /** Whether that there is no such file is the one problem. */
  readonly isMissing: boolean
}

/** Reads a config file. All its problems are told at once. */
export async function readConfigFile(
  file: string,
  context: ConfigFileContext,
): Promise<LoadedConfig | UnreadConfig> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return { problems: [`cannot be read: ${reason(error)}`], isMissing: code === 'ENOENT' }
  }
  const read = parseConfigFile(text, context)
  return 'problems' in read ? { ...read, isMissing: false } : { ...read, text }
}

/** {@link readConfigFile} for the file's text. */
export function parseConfigFile(
  text: string,
  { env, mayBeUnset = [], logger, loadModule }: ConfigFileContext,
): ConfigResult<ServeConfiguration> {
  const yaml = parseYaml(text)
  if ('problem' in yaml) return { problems: [yaml.problem] }
  const { value, unset } = interpolate(withoutExtensions(yaml.value), env)
  const missing = unset.filter(({ path }) => !mayBeUnset.some((setting) => path.includes(setting)))
  const { value: whole, problems } = withTransforms(value, loadModule)
  const read = readServeConfig(whole, { env, ...(logger && { logger }) })
  if (missing.length + problems.length === 0) return read
  // A setting whose variable is missing has one problem, whatever else its check says of the value.
  const paths = missing.map(({ path }) => showPath(path))
  const isOfMissing = (line: string) =>
    paths.some((path) => line.startsWith(path) && /^(\[0\])?: got /.test(line.slice(path.length)))
  const rest = 'problems' in read ? read.problems.filter((line) => !isOfMissing(line)) : []
  return { problems: [...missing.map(({ problem }) => problem), ...problems, ...rest] }
}

function parseYaml(text: string): { value: unknown } | { problem: string } {
  try {
    // SECURITY: its warnings would go to the console, with parts of the file.
    const document = parseDocument(text, { logLevel: 'error', merge: true })
    const [error] = document.errors
    if (error === undefined) {
      const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES })
      if (holdsItself(value)) return { problem: HOLDS_ITSELF }
      return value === null ? { problem: 'is empty; give it sources' } : { value }
    }
    // The first line ends in "at line 3, column 5:"; a picture of the place follows.
    const message = error.message.split('\n', 1)[0]?.replace(/:$/, '') ?? ''
    const line = text.split('\n')[(error.linePos?.[0].line ?? 0) - 1] ?? ''
    return { problem: `is not valid YAML: ${message}${hintOn(line)}` }
  } catch (error) {
    // A map that is merged into itself is merged until the stack is full.
    if (error instanceof RangeError) return { problem: HOLDS_ITSELF }
    // SECURITY: the alias that is named may be a write key that begins with an asterisk.
    const message = reason(error)
      .replace(/^(Unresolved alias.*): .*/, '$1; put values that begin with * in quotes')
      .replace(/^Merge sources .*/, '$&; write <<: *name, with a map after &name before it')
    return { problem: `is not valid YAML: ${message}` }
  }
}

/** What is wrong with the line, most likely, for who does not know YAML well. */
function hintOn(line: string): string {
  // By itself: YAML takes it for the start of an alias.
  if (/(^|[\s[{,:])\*([\s\]},:]|$)/.test(line)) return "; write '*' in quotes"
  return /\$\{/.test(line) ? '; inside [ ] and { } put variables in quotes' : ''
}

/** The parts at the top that begin with `x-`, as in a Compose file, are for aliases to point at. */
function withoutExtensions(file: unknown): unknown {
  if (!isJsonObject(file)) return file
  return Object.fromEntries(Object.entries(file).filter(([name]) => !name.startsWith('x-')))
}

/** What holds itself has no end to look for. */
function holdsItself(value: unknown, around: readonly unknown[] = []): boolean {
  if (typeof value !== 'object' || value === null) return false
  return around.includes(value) || Object.values(value).some((item) => holdsItself(item, [...around, value]))
}

function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  const known: Readonly<Record<string, string>> = {
    ENOENT: 'there is no such file',
    EISDIR: 'it is a directory',
    EACCES: 'permission denied',
  }
  return known[code ?? ''] ?? message.split('\n', 1)[0] ?? ''
}
