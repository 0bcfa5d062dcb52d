import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { once } from '../once.js'
import { type AnalyticsPackage, findAnalyticsPackage } from './analytics-package.js'
import { JAVASCRIPT, JSON_TYPE, type WebContent, webContent } from './web-content.js'

/**
 * Parts have a hash of their content in their name. The rest of the folder is whole libraries, which would ask
 * Segment's hosts if they were loaded as they are.
 */
const PART = /^[\w-]+\.bundle\.[0-9a-f]{8,}\.js(?:\.map)?$/

/** A part by its hash alone, as it is asked for below the custom path: blockers could know the names. */
const NAMELESS = /^[0-9a-f]{8,}\.js$/

/** The parts that analytics.js loads when it needs them. Nothing is read before it is asked for. */
export class Bundles {
  readonly #folder: () => Promise<Folder>
  readonly #contents = new Map<string, Promise<WebContent>>()

  constructor(find: () => Promise<AnalyticsPackage> = findAnalyticsPackage) {
    this.#folder = once(() => readFolder(find))
  }

  /** `undefined` where there is no such part. */
  async content(asked: string): Promise<WebContent | undefined> {
    const { path, names } = await this.#folder()
    const file = NAMELESS.test(asked) ? named(asked, names) : asked
    // SECURITY: only names that were read from the folder ever lead to a file.
    if (file === undefined || !PART.test(file) || !names.has(file)) return undefined
    const known = this.#contents.get(file)
    if (known !== undefined) return known
    const read = readContent(path, file, names.has(`${file}.gz`))
    this.#contents.set(file, read)
    read.catch(() => this.#contents.delete(file))
    return read
  }
}

interface Folder {
  readonly path: string
  readonly names: ReadonlySet<string>
}

function named(nameless: string, names: ReadonlySet<string>): string | undefined {
  return [...names].find((name) => name.endsWith(`.bundle.${nameless}`))
}

async function readFolder(find: () => Promise<AnalyticsPackage>): Promise<Folder> {
  const { folder } = await find()
  return { path: folder, names: new Set(await readdir(folder)) }
}

async function readContent(folder: string, file: string, hasGzipped: boolean): Promise<WebContent> {
  const [body, gzipped] = await Promise.all([
    readFile(join(folder, file)),
    hasGzipped ? readFile(join(folder, `${file}.gz`)) : undefined,
  ])
  return webContent(file.endsWith('.map') ? JSON_TYPE : JAVASCRIPT, body, gzipped)
}
