/**
 * Every code a {@link FirehoseError} can carry. Each has a heading in `docs/errors.md` that tells its cause
 * and its fix.
 */
export const ERROR_CODES = [
  'ERR_SETTINGS',
  'ERR_UNSERIALIZABLE',
  'ERR_TRANSFORM',
  'ERR_RECORD_TOO_LARGE',
  'ERR_BATCH_TOO_LARGE',
  'ERR_BUFFER_FULL',
  'ERR_DELIVERY_TIMEOUT',
  'ERR_RECORD_REJECTED',
  'ERR_STREAM_UNAVAILABLE',
  'ERR_ASSUME_ROLE',
  'ERR_CLOSED',
  'ERR_SPILL',
] as const

/** One of {@link ERROR_CODES}. */
export type ErrorCode = (typeof ERROR_CODES)[number]

/** The codes that say something of the event itself: sending it again would fail again. */
const PERMANENT: ReadonlySet<ErrorCode> = new Set([
  'ERR_UNSERIALIZABLE',
  'ERR_TRANSFORM',
  'ERR_RECORD_TOO_LARGE',
  'ERR_BATCH_TOO_LARGE',
  'ERR_RECORD_REJECTED',
])

/**
 * The one error class of this package. `code` is stable and meant for programs; `message` names what was
 * wrong and the fix, and never holds a secret; `cause` is the error below it, where there is one.
 *
 * @example
 * analytics.on('error', ({ reason }) => {
 *   if (reason instanceof FirehoseError && reason.code === 'ERR_BUFFER_FULL') slowDown()
 * })
 */
export class FirehoseError extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'FirehoseError'
    this.code = code
  }

  /** Whether sending the same event again is bound to fail again. */
  get permanent(): boolean {
    return PERMANENT.has(this.code)
  }
}
