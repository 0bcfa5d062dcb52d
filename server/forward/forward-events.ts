import type { IncomingHttpHeaders } from 'node:http'
import type { JsonBody } from '../http/body.js'
import type { IntakeEndpoint } from '../http/endpoint.js'
import { type NamedSource, ownerOf, writeKeyIn } from '../http/write-key.js'
import type { Source } from '../source.js'
import type { Sources } from '../sources.js'
import { forwardedRequest } from './forwarded-request.js'

/** A request with events, as it came. */
export interface EventsRequest {
  readonly headers: IncomingHttpHeaders
  readonly clientIp: string | undefined
  readonly endpoint: IntakeEndpoint
  readonly body: JsonBody
  /** The source that HTTP Basic or the URL names, if any. */
  readonly named: NamedSource | undefined
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
  const { value, writeKey } = ownPart(source, request, sources)
  if (value === body.value && body.sent !== undefined) {
    return forwardedRequest({ path, headers, writeKey, clientIp, body: body.sent })
  }
  const { 'content-encoding': _encoding, ...rest } = headers
  const plain = { ...rest, 'content-type': 'application/json' }
  const written = writtenAnew(value)
  return written && forwardedRequest({ path, headers: plain, writeKey, clientIp, body: written })
}

function writtenAnew(body: unknown): Buffer | undefined {
  try {
    return Buffer.from(JSON.stringify(body))
  } catch {
    // Nested deeper than JSON.stringify goes.
    return undefined
  }
}

/**
 * Selects the part of a body that a source forwards, and the write key to send in HTTP Basic.
 *
 * SECURITY: if the events of a batch name different sources, each source forwards only its own events.
 */
function ownPart(source: Source, { body: { value }, named }: EventsRequest, sources: Sources) {
  const { batch, writeKey: _unknown, ...shared } = value
  const isOfOne = named !== undefined || ownerOf(value, sources) !== undefined || !Array.isArray(batch)
  if (isOfOne) return { value, writeKey: named?.writeKey }
  const own: unknown[] = batch.filter((event) => ownerOf(event, sources) === source)
  return { value: { ...shared, batch: own }, writeKey: writeKeyIn(own[0]) }
}
