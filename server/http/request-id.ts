import type { IncomingMessage } from 'node:http'

/** UUIDs, trace IDs and the like. */
const REQUEST_ID = /^[\w.:=@+/-]{1,128}$/

export interface RequestIdParts {
  /** Whether the direct peer is a trusted proxy. */
  readonly isTrusted: boolean
  readonly newId: () => string
}

/**
 * The ID of a request: its `X-Request-Id`, so that it is found again in the logs of the proxy before us, else a new one.
 *
 * SECURITY: it enters log lines and a response header, so it is taken from trusted proxies only, and only where it can
 * forge neither.
 */
export function requestIdOf(req: IncomingMessage, { isTrusted, newId }: RequestIdParts): string {
  const given = req.headers['x-request-id']
  return isTrusted && typeof given === 'string' && REQUEST_ID.test(given) ? given : newId()
}
