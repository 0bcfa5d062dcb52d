import { mkdirSync, statSync } from 'node:fs'
import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { errnoOf } from './disk-error.js'

/** How it went to make one directory. */
type Attempt = 'made' | 'there' | { readonly error: unknown }

/** SECURITY: events hold personal data, which none but the owner reads. */
const MODE = 0o700

/**
 * Makes a directory and the parents that are missing.
 *
 * Not by `{ recursive: true }`, which reports ENOENT where a file system is read-only and so hides the cause.
 * Source: https://github.com/nodejs/node/issues/47098
 *
 * @param make - makes one directory; for tests
 * @returns the first directory that it made, if any
 * @throws the system's error for the directory that cannot be made
 */
export async function makeDirectory(
  path: string,
  make: (path: string) => Promise<unknown> = (one) => mkdir(one, MODE),
): Promise<string | undefined> {
  const walk = directoriesToMake(path)
  for (let step = walk.next(); ; step = walk.next(await attempt(step.value))) if (step.done) return step.value

  async function attempt(one: string): Promise<Attempt> {
    try {
      await make(one)
      return 'made'
    } catch (error) {
      const stats = await stat(one).catch(() => undefined)
      return stats?.isDirectory() ? 'there' : { error }
    }
  }
}

/** {@link makeDirectory} for the start of a process, which can wait for the disk. */
export function makeDirectorySync(
  path: string,
  make: (path: string) => unknown = (one) => mkdirSync(one, MODE),
): string | undefined {
  const walk = directoriesToMake(path)
  for (let step = walk.next(); ; step = walk.next(attempt(step.value))) if (step.done) return step.value

  function attempt(one: string): Attempt {
    try {
      make(one)
      return 'made'
    } catch (error) {
      return isDirectorySync(one) ? 'there' : { error }
    }
  }
}

function isDirectorySync(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}

/** Asks for the directory, then upwards for each parent that is missing, and from there down again. */
function* directoriesToMake(path: string): Generator<string, string | undefined, Attempt> {
  const missing: string[] = []
  let first: string | undefined
  for (let at = path; ; at = dirname(at)) {
    const attempt = yield at
    if (attempt === 'made') first = at
    if (typeof attempt === 'string') break
    if (errnoOf(attempt.error) !== 'ENOENT' || dirname(at) === at) throw attempt.error
    missing.push(at)
  }
  for (const at of missing.reverse()) {
    const attempt = yield at
    if (typeof attempt !== 'string') throw attempt.error
    if (attempt === 'made') first ??= at
  }
  return first
}
