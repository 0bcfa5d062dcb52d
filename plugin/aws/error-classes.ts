import { FirehoseError } from '../errors.js'
import { ERROR_TABLE, type ErrorCause, type ErrorClass, type ErrorRow } from './error-table.js'

export type { ErrorClass }

export interface ClassifiedError {
  readonly class: ErrorClass
  /** AWS asks for fewer calls. */
  readonly throttled: boolean
}

/** The rows of each code, in the order of the table. */
const ROWS = new Map<string, ErrorRow[]>()
for (const row of ERROR_TABLE) for (const code of row.codes) ROWS.set(code, [...(ROWS.get(code) ?? []), row])

/** Of a code that AWS has come up with since. */
const NAMED_FOR_THROTTLING = /throttl|TooManyRequests|RateExceeded/i
const THROTTLED: Classification = { cause: 'throttled', class: 'retry', throttled: true }

/** The class of an error thrown by the AWS SDK, or of AWS's code for one record (`{ name: ErrorCode }`). */
export function classify(error: unknown): ClassifiedError {
  // A role that cannot be assumed: what STS said decides, but nothing in the records is at fault.
  if (isOfRole(error)) {
    const below = classify(error.cause)
    return { class: below.class === 'retry' ? 'retry' : 'park', throttled: false }
  }
  const { class: errorClass, throttled } = rowOf(error)
  return { class: errorClass, throttled: throttled ?? false }
}

/** What has to be mended; of a role that cannot be assumed, what STS said. */
export function causeOf(error: unknown): ErrorCause {
  return rowOf(isOfRole(error) ? error.cause : error).cause
}

/** Whether the table has the error's code: then neither flags nor statuses are asked. */
export function isKnown(error: unknown): boolean {
  return knownRowOf(describe(error)) !== undefined
}

/** Whether a policy refused the call: the one case in which another API may still be allowed. */
export function isAccessDenied(error: unknown): boolean {
  return rowOf(error).cause === 'denied'
}

/** Whether a connection broke, or may have died in silence, so that others to the same host may have as well. */
export function isOfConnection(error: unknown): boolean {
  const cause = causeOf(error)
  return cause === 'silent' || cause === 'reset' || cause === 'unreachable'
}

/**
 * Whether there were no credentials to call with, or to assume the role with. Who has had some can wait for more: those
 * of machines and containers are asked for over the network.
 */
export function isWithoutCredentials(error: unknown): boolean {
  const cause = causeOf(error)
  return cause === 'no-credentials' || cause === 'credentials-away' || cause === 'sso'
}

function isOfRole(error: unknown): error is FirehoseError {
  return error instanceof FirehoseError && error.code === 'ERR_ASSUME_ROLE'
}

type Classification = Pick<ErrorRow, 'cause' | 'class'> & { readonly throttled?: boolean }

function rowOf(error: unknown): Classification {
  const described = describe(error)
  return knownRowOf(described) ?? byStatus(described)
}

function knownRowOf({ codes, message }: Described): Classification | undefined {
  for (const code of codes) {
    const row = ROWS.get(code)?.find((row) => row.message === undefined || row.message.test(message))
    if (row !== undefined) return row
  }
  return codes.some((code) => NAMED_FOR_THROTTLING.test(code)) ? THROTTLED : undefined
}

/** A code that is in no list. Below 400 it is no answer of AWS's at all: the network, or a garbled answer. */
function byStatus({ status, message }: Described): Classification {
  if (status === 429 || status === 503) return { class: 'retry', cause: 'throttled', throttled: true }
  if (status === 413) return { class: 'isolate', cause: 'too-large' }
  if (status === 407) return { class: 'park', cause: 'proxy-password' }
  if (status === 408) return { class: 'retry', cause: 'silent' }
  if (status >= 500) return { class: 'retry', cause: 'failing' }
  if (status >= 400) return { class: 'park', cause: 'refused' }
  if (status > 0) return { class: 'retry', cause: 'not-aws' }
  return {
    class: 'retry',
    cause: /ended too soon|socket hang up|aborted/.test(message) ? 'reset' : 'unknown',
  }
}

interface Described {
  readonly codes: readonly string[]
  readonly message: string
  readonly status: number
}

function describe(error: unknown): Described {
  const given = (typeof error === 'object' && error !== null ? error : {}) as {
    readonly name?: unknown
    readonly code?: unknown
    readonly Code?: unknown
    readonly $fault?: unknown
    readonly message?: unknown
    readonly $metadata?: { readonly httpStatusCode?: unknown }
  }
  const { name, code, Code, $fault, message, $metadata } = given
  const status = $metadata?.httpStatusCode
  // A system error's code comes first: the SDK gives some of them the name of a time-out. In what AWS throws, `code` is
  // a detail, such as what KMS said to Firehose.
  const names = $fault === undefined ? [code, name, Code] : [name, Code, code]
  return {
    codes: names.filter((it) => typeof it === 'string'),
    message: [message, $fault === undefined ? undefined : code]
      .filter((it) => typeof it === 'string')
      .join(' '),
    status: typeof status === 'number' ? status : 0,
  }
}
