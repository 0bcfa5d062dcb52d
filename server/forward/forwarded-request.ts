import type { IncomingHttpHeaders } from 'node:http'

/** A tracking request on its way to Segment, where it is sent by POST. */
export interface ForwardedRequest {
  /** As Segment names it, without a query: `/v1/batch`. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

export interface IncomingRequest {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** The write key from HTTP Basic or the URL, if it names a source. */
  readonly writeKey: string | undefined
  /** Of whoever sent it, by trusted proxies only. */
  readonly clientIp: string | undefined
  /** As it came: if Content-Encoding says gzip, then gzip. */
  readonly body: Uint8Array
}

/**
 * What Segment reads. SECURITY: cookies are not among it. This is a first-party host, so a browser sends along the
 * cookies of the whole site, sessions included, which are nobody else's business. Nor is anything else that is not
 * named here, such as headers of proxies on the way and those that hold for one connection only. The client's
 * `Authorization` is not passed on either, as its credentials may be meant for something in front of this server:
 * `forwardedRequest` writes a new one that holds the write key only.
 */
const KEPT_HEADERS = [
  'content-type',
  'content-encoding',
  'user-agent',
  'x-retry-count',
  'accept-language',
] as const

/** The request as it goes on to Segment: the same, less what Segment has no need of, plus the client's IP. */
export function forwardedRequest({
  path,
  headers,
  writeKey,
  clientIp,
  body,
}: IncomingRequest): ForwardedRequest {
  const kept = KEPT_HEADERS.flatMap((name) => {
    const value = headers[name]
    return typeof value === 'string' ? [[name, value] as const] : []
  })
  const [plainPath = ''] = path.split('?', 1)
  return {
    path: plainPath,
    // SECURITY: what the client itself says of its IP does not go on.
    headers: {
      ...Object.fromEntries(kept),
      ...(writeKey === undefined ? {} : { authorization: basicOf(writeKey) }),
      ...(clientIp === undefined ? {} : { 'x-forwarded-for': clientIp }),
    },
    body,
  }
}

function basicOf(writeKey: string): string {
  return `Basic ${Buffer.from(`${writeKey}:`).toString('base64')}`
}
