import { hash } from 'node:crypto'
import type { AllowedOrigins } from './http/allowed-origins.js'
import type { Source } from './source.js'

/** The sources of a proxy, found by write key. */
export class Sources {
  readonly all: readonly Source[]
  /** Of pages that may send to any of the sources: a preflight does not say to which. */
  readonly origins: AllowedOrigins
  readonly #byDigest: ReadonlyMap<string, Source>

  constructor(all: readonly Source[], origins: AllowedOrigins) {
    this.all = all
    this.origins = origins
    this.#byDigest = new Map(all.flatMap((it) => it.writeKeys.map((key) => [digest(key), it] as const)))
  }

  withKey(writeKey: string): Source | undefined {
    return this.#byDigest.get(digest(writeKey))
  }
}

/** SECURITY: keys are looked up by digest, so that the time it takes tells nothing of how much of a key was right. */
function digest(writeKey: string): string {
  return hash('sha256', writeKey, 'base64')
}
