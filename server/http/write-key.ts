import type { IncomingMessage } from 'node:http'
import basicAuth from 'basic-auth'
import type { Source } from '../source.js'
import type { Sources } from '../sources.js'
import { unauthorized } from './http-problem.js'

/** A source that a request names outside of its body, and the write key by which it does. */
export interface NamedSource {
  readonly source: Source
  readonly writeKey: string
}

/**
 * Finds the source that a request names by its HTTP Basic user name, else by its URL. It ignores a user name that names
 * no source: a browser sends the password of a site along with every request to its host.
 *
 * @param keyInUrl - the write key in the URL, for endpoints that have one
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

/** @throws HttpProblem 401 where the key is none of ours */
export function sourceWithKey(sources: Sources, writeKey: string): Source {
  const source = sources.withKey(writeKey)
  if (source === undefined) throw unauthorized('The write key is not known here')
  return source
}
