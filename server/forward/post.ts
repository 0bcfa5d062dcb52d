import type { Clock } from '../../plugin/clock.js'
import { boundedFetch, nameOfFailure } from './bounded-fetch.js'
import type { ForwardedRequest } from './forwarded-request.js'
import { retryAfterMs } from './retry-after.js'

const TIMEOUT_MS = 10_000
/** Answers are `{"success":true}`; a larger one is cut off. */
const MAX_ANSWER_BYTES = 64 * 1024

/** What one try came to. `cause` names a status or a failure, nothing of the request. */
export type Verdict =
  | { readonly outcome: 'forwarded' }
  | { readonly outcome: 'refused'; readonly cause: string }
  | { readonly outcome: 'failed'; readonly cause: string; readonly askedMs: number | undefined }

export interface PostOptions {
  readonly base: URL
  readonly clock: Clock
  readonly fetch: typeof fetch
  readonly abort: AbortController
}

/** Sends one request once. Never rejects. */
export async function post(
  { path, headers, body }: ForwardedRequest,
  { base, clock, fetch, abort }: PostOptions,
): Promise<Verdict> {
  const checked = headersOf(headers)
  if (checked === undefined) return { outcome: 'refused', cause: 'malformed headers' }
  try {
    const answer = await boundedFetch(
      urlOf(base, path),
      { method: 'POST', headers: checked, body },
      { fetch, clock, abort, timeoutMs: TIMEOUT_MS, maxBytes: MAX_ANSWER_BYTES },
    )
    return verdictOf(answer.status, retryAfterMs(answer.headers.get('retry-after'), clock))
  } catch (error) {
    return { outcome: 'failed', cause: nameOfFailure(error), askedMs: undefined }
  }
}

/** SECURITY: through `pathname`, by which no path can lead to another host. */
function urlOf(base: URL, path: string): URL {
  const url = new URL(base)
  url.pathname = `${base.pathname.replace(/\/$/, '')}${path}`
  return url
}

/** `fetch` would fail the same way as for an outage, and what can never be sent be tried for an hour. */
function headersOf(headers: Readonly<Record<string, string>>): Headers | undefined {
  try {
    return new Headers(headers)
  } catch {
    return undefined
  }
}

function verdictOf(status: number, askedMs: number | undefined): Verdict {
  if (status >= 200 && status < 300) return { outcome: 'forwarded' }
  const cause = `status ${status}`
  const isForNow = status === 408 || status === 429 || status >= 500
  return isForNow ? { outcome: 'failed', cause, askedMs } : { outcome: 'refused', cause }
}
