import { createHash } from 'node:crypto'
import type { Destination } from '../plugin/destination.js'

/** A Segment source at work. */
export interface Source {
  /** SECURITY: the external ID of its role, mostly; logs, counts and messages say `name`. */
  readonly id: string
  readonly name: string
  readonly writeKeys: readonly string[]
  readonly destination: Destination
}

/** The sources of a proxy, found by write key. */
export class Sources {
  readonly all: readonly Source[]
  readonly #byDigest: ReadonlyMap<string, Source>

  constructor(all: readonly Source[]) {
    this.all = all
    this.#byDigest = new Map(all.flatMap((it) => it.writeKeys.map((key) => [digest(key), it] as const)))
  }

  withKey(writeKey: string): Source | undefined {
    return this.#byDigest.get(digest(writeKey))
  }
}

/** SECURITY: keys are looked up by digest, so that the time it takes tells nothing of how much of a key was right. */
function digest(writeKey: string): string {
  return createHash('sha256').update(writeKey).digest('base64')
}
