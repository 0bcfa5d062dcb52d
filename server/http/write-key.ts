import type { IncomingMessage } from 'node:http'
import basicAuth from 'basic-auth'
import type { Source } from '../source.js'
import type { Sources } from '../sources.js'
import { unauthorized } from './http-problem.js'

/** A write key that was found outside of a request's body, and the source that it names. */
export interface NamedSource {
  readonly source: Source
  readonly writeKey: string
}

/**
 * The source that a request names before its body: by its HTTP Basic user name, else in its URL. A user name that names
 * none is passed over: the credentials may be meant for something in front, such as a site that browsers send them to
 * with every request.
 *
 * @param keyInUrl - where the endpoint has one
 */
export function sourceNamedIn(
  req: IncomingMessage,
  sources: Sources,
  keyInUrl?: string,
): NamedSource | undefined {
  for (const writeKey of [basicAuth(req)?.name, keyInUrl]) {
    const source = writeKey ? sources.withKey(writeKey) : undefined
    if (writeKey && source !== undefined) return { source, writeKey }
  }
  return undefined
}

/** The `writeKey` of a body or an event. */
export function writeKeyIn(value: unknown): string | undefined {
  const key = (value as { writeKey?: unknown } | null | undefined)?.writeKey
  return typeof key === 'string' && key !== '' ? key : undefined
}

/** The source that the `writeKey` of a body or an event names. */
export function ownerOf(value: unknown, sources: Sources): Source | undefined {
  const writeKey = writeKeyIn(value)
  return writeKey === undefined ? undefined : sources.withKey(writeKey)
}

/** @throws HttpProblem 401 where the key is none of ours */
export function sourceWithKey(sources: Sources, writeKey: string): Source {
  const source = sources.withKey(writeKey)
  if (source === undefined) throw unauthorized('The write key is not known here')
  return source
}
