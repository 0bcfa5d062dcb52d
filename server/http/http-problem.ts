/** Why a request is refused, as its sender is told. The message holds no secret and nothing of our AWS account. */
export class HttpProblem extends Error {
  readonly status: number
  /** Stable, for programs. */
  readonly code: string
  readonly headers: Readonly<Record<string, string>>
  /** The name of the source that it is about, for the log alone, where a request may have several. */
  readonly source: string | undefined

  constructor(
    status: number,
    code: string,
    message: string,
    headers: Readonly<Record<string, string>> = {},
    source?: string,
  ) {
    super(message)
    this.name = 'HttpProblem'
    this.status = status
    this.code = code
    this.headers = headers
    this.source = source
  }

  /** Whether the same request may succeed later. */
  get isForNow(): boolean {
    return this.status >= 500 || this.status === 429 || this.status === 408
  }
}

/** Long enough for a throttled stream to recover, short enough that senders still hold their events. */
const RETRY_AFTER_SECONDS = 5

/** 400 is the one status on which every SDK lets go of what it sent. */
export function badRequest(code: string, message: string): HttpProblem {
  return new HttpProblem(400, code, message)
}

/** A refusal for now: the sender keeps the events and sends them again. */
export function unavailable(code: string, message: string, source?: string): HttpProblem {
  return new HttpProblem(503, code, message, { 'Retry-After': String(RETRY_AFTER_SECONDS) }, source)
}

/** The memory has no room for more of this request. */
export function memoryFull(): HttpProblem {
  return unavailable('memory_full', 'Too much is waiting for delivery; send this again later')
}

export function unauthorized(message: string): HttpProblem {
  return new HttpProblem(401, 'invalid_write_key', message)
}

/** A fault of ours, which the sender is told nothing of. */
export function internalError(): HttpProblem {
  return new HttpProblem(500, 'internal_error', 'The request failed; send it again later')
}
