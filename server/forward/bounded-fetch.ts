import type { Clock } from '../../plugin/clock.js'

export interface BoundedFetchOptions {
  readonly fetch: typeof fetch
  readonly clock: Pick<Clock, 'after'>
  /** For the answer and its body together. */
  readonly timeoutMs: number
  readonly maxBytes: number
  /** Lets the caller end it too. */
  readonly abort?: AbortController
}

export interface BoundedResponse {
  readonly status: number
  readonly headers: Headers
  /** Inflated. `undefined` where it is larger than the cap, or broke off. */
  readonly body: Buffer | undefined
}

/**
 * `fetch` that is over in time, keeps no more of the body than the cap, and leaves the connection fit for use.
 * SECURITY: a redirect is not followed but returned, as it may lead to a host that nobody configured.
 *
 * @throws what `fetch` throws, a `TimeoutError` where there was no answer in time
 */
export async function boundedFetch(
  url: string | URL,
  init: RequestInit,
  { fetch, clock, timeoutMs, maxBytes, abort = new AbortController() }: BoundedFetchOptions,
): Promise<BoundedResponse> {
  const cancelTimeout = clock.after(timeoutMs, () => abort.abort(timedOut(timeoutMs)))
  try {
    const response = await fetch(url, { ...init, redirect: 'manual', signal: abort.signal })
    const { status, headers } = response
    return { status, headers, body: await readBounded(response, maxBytes) }
  } finally {
    cancelTimeout()
  }
}

/** A body is read to its end, as a connection is used again only then; beyond the cap it is cut instead. */
async function readBounded({ body }: Response, maxBytes: number): Promise<Buffer | undefined> {
  if (body === null) return Buffer.alloc(0)
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    // To leave the loop cancels the body.
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      size += chunk.byteLength
      if (size > maxBytes) return undefined
      chunks.push(chunk)
    }
    return Buffer.concat(chunks, size)
  } catch {
    return undefined
  }
}

function timedOut(timeoutMs: number): Error {
  return new DOMException(`There was no answer within ${timeoutMs} ms`, 'TimeoutError')
}

/** What went wrong in a word or two. SECURITY: by name and code only, as messages can hold URLs and header values. */
export function nameOfFailure(error: unknown): string {
  const { name, cause } = Object(error) as { name?: unknown; cause?: unknown }
  if (name === 'TimeoutError') return 'no answer in time'
  const { code } = Object(cause) as { code?: unknown }
  return typeof code === 'string' && /^[A-Z0-9_]+$/.test(code) ? code : 'network failure'
}
