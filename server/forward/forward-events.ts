import type { IncomingHttpHeaders } from 'node:http'
import type { IntakeEndpoint } from '../http/endpoint.js'
import type { RequestBody } from '../http/read-body.js'
import type { NamedSource } from '../http/write-key.js'
import type { Source } from '../source.js'
import { forwardedRequest } from './forwarded-request.js'

/** A request with events, as it came. */
export interface EventsRequest {
  readonly headers: IncomingHttpHeaders
  readonly clientIp: string | undefined
  readonly endpoint: IntakeEndpoint
  readonly body: RequestBody
  /** The source that HTTP Basic or the URL names, if any. */
  readonly named: NamedSource | undefined
}

/** What was accepted of a request. */
export interface AcceptedEvents {
  readonly accepted: readonly { readonly source: Source }[]
  readonly parts: readonly ForwardablePart[]
  /** Whether the body that came can go on as it is: Segment would read the same events in it. */
  readonly isAsSent: boolean
}

/** A part of a request that can be written as a request of its own. */
export interface ForwardablePart {
  /** A body with the accepted events of the source alone, `undefined` where there are none. */
  requestFor(source: Source): OwnRequest | undefined
}

/** What a source forwards of a request. */
export interface OwnRequest {
  readonly body: Buffer
  /** The key that the body or its events name, if any. */
  readonly writeKey: string | undefined
}

/** Hands the request on for each source that wants its events forwarded. Neither waits nor throws. */
export function forwardEvents(request: EventsRequest, { accepted, parts, isAsSent }: AcceptedEvents): void {
  const { headers, clientIp, endpoint, body, named } = request
  const path = endpoint.kind === 'pixel' ? `/v1/${endpoint.type}` : endpoint.path
  for (const { source } of accepted) {
    const { forwarder } = source
    if (forwarder === undefined) continue
    // SECURITY: where a batch has events of several sources, each source's endpoint gets its own alone.
    if (isAsSent && accepted.length === 1 && body.sent !== undefined) {
      const { writeKey } = named ?? {}
      forwarder.forward(forwardedRequest({ path, headers, writeKey, clientIp, body: body.sent }))
      continue
    }
    const { 'content-encoding': _encoding, ...rest } = headers
    const plain = { ...rest, 'content-type': 'application/json' }
    for (const part of parts) {
      const own = part.requestFor(source)
      if (own === undefined) continue
      const writeKey = named?.writeKey ?? own.writeKey
      forwarder.forward(forwardedRequest({ path, headers: plain, writeKey, clientIp, body: own.body }))
    }
  }
}
