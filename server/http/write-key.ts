import type { IncomingMessage } from 'node:http'
import basicAuth from 'basic-auth'
import type { Source } from '../source.js'
import type { Sources } from '../sources.js'
import { unauthorized } from './http-problem.js'

/** The write key of a request's HTTP Basic user name. */
export function basicWriteKey(req: IncomingMessage): string | undefined {
  return basicAuth(req)?.name || undefined
}

/** The `writeKey` of a body or an event. */
export function writeKeyIn(value: unknown): string | undefined {
  const key = (value as { writeKey?: unknown } | null | undefined)?.writeKey
  return typeof key === 'string' && key !== '' ? key : undefined
}

/** @throws HttpProblem 401 where the key is none of ours */
export function sourceWithKey(sources: Sources, writeKey: string): Source {
  const source = sources.withKey(writeKey)
  if (source === undefined) throw unauthorized('The write key is not known here')
  return source
}
