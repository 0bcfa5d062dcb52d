/**
 * What the log tells of one request. SECURITY: nothing in it is a secret, or tells of the person behind an event, as an
 * address would.
 */
export interface RequestEntry {
  readonly requestId: string
  readonly method: string
  /** The endpoint's kind. SECURITY: never the path, which can hold a write key. */
  readonly endpoint: string
  readonly status: number
  /** The problem's code, such as `rate_limited`, where that is the answer. */
  readonly code: string | undefined
  readonly durationMs: number
  /** The source's name, where the request came so far. */
  readonly source: string | undefined
  /** How many events it held. */
  readonly events: number
}
