import type { IncomingHttpHeaders } from 'node:http'
import type { JsonBody } from '../http/body.js'
import type { IntakeEndpoint } from '../http/endpoint.js'
import { writeKeyIn } from '../http/write-key.js'
import type { Source } from '../source.js'
import type { Sources } from '../sources.js'
import { forwardedRequest } from './forwarded-request.js'

/** A request with events, as it came. */
export interface EventsRequest {
  readonly headers: IncomingHttpHeaders
  readonly clientIp: string | undefined
  readonly endpoint: IntakeEndpoint
  readonly body: JsonBody
  /** Whose key HTTP Basic holds. */
  readonly source: Source | undefined
}

/** Hands the request on for each source that wants its events forwarded. Neither waits nor throws. */
export function forwardEvents(
  request: EventsRequest,
  sources: Sources,
  accepted: readonly { readonly source: Source }[],
): void {
  for (const { source } of accepted) {
    const { forwarder } = source
    if (forwarder === undefined) continue
    const forwarded = forwardedFor(source, request, sources)
    if (forwarded === undefined) forwarder.refuse()
    else forwarder.forward(forwarded)
  }
}

/** `undefined` where it cannot be written anew. */
function forwardedFor(source: Source, request: EventsRequest, sources: Sources) {
  const { headers, clientIp, endpoint, body } = request
  const path = endpoint.kind === 'pixel' ? `/v1/${endpoint.type}` : endpoint.path
  const own = ownBody(source, request, sources)
  if (own === body.value && body.sent !== undefined) {
    return forwardedRequest({ path, headers, clientIp, body: body.sent })
  }
  const { 'content-encoding': _encoding, ...rest } = headers
  const plain = { ...rest, 'content-type': 'application/json' }
  const written = writtenAnew(own)
  return written && forwardedRequest({ path, headers: plain, clientIp, body: written })
}

function writtenAnew(body: unknown): Buffer | undefined {
  try {
    return Buffer.from(JSON.stringify(body))
  } catch {
    // Nested deeper than JSON.stringify goes.
    return undefined
  }
}

/** SECURITY: of a batch whose events name sources of their own, each source's endpoint gets those of that source. */
function ownBody(source: Source, { body: { value }, ...request }: EventsRequest, sources: Sources): unknown {
  const { batch } = value
  const isOfOne = request.source !== undefined || writeKeyIn(value) !== undefined || !Array.isArray(batch)
  if (isOfOne) return value
  const isOwn = (event: unknown) => {
    const writeKey = writeKeyIn(event)
    return writeKey !== undefined && sources.withKey(writeKey) === source
  }
  return { ...value, batch: batch.filter(isOwn) }
}
