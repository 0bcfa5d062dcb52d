import { FirehoseError } from '../errors.js'

/**
 * What to do about an error of AWS:
 * - `retry`: it passes; wait and send again.
 * - `reauth`: the credentials are spent; fetch new ones and send again.
 * - `isolate`: something in the call is invalid; split it until the bad record stands alone.
 * - `park`: someone has to change something first; stop, and look in from time to time.
 */
export type ErrorClass = 'retry' | 'reauth' | 'isolate' | 'park'

export interface ClassifiedError {
  readonly class: ErrorClass
  /** AWS asks for fewer calls. */
  readonly throttled: boolean
}

// Sources:
// [F] https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html#API_PutRecordBatch_Errors
// [C] https://docs.aws.amazon.com/firehose/latest/APIReference/CommonErrors.html
// [S] https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html#API_AssumeRole_Errors
// [R] https://github.com/smithy-lang/smithy-typescript/blob/main/packages/core/src/submodules/retry/service-error-classification/constants.ts

/** [F] [C] [R], and the codes of the SDK's own list of throttling errors. */
const THROTTLING = new Set([
  'ServiceUnavailableException',
  'ServiceUnavailable',
  'Throttling',
  'ThrottlingException',
  'ThrottledException',
  'RequestThrottled',
  'RequestThrottledException',
  'RequestLimitExceeded',
  'TooManyRequestsException',
  'BandwidthLimitExceeded',
  'LimitExceededException',
  'SlowDown',
  'EC2ThrottledException',
  'PriorRequestNotComplete',
  'ProvisionedThroughputExceededException',
  'TransactionInProgressException',
])

/** [C], and what the SDK says of a connection that timed out or an answer that is not what was announced. */
const PASSING = new Set([
  'InternalFailure',
  'InternalFailureException',
  'InternalServerError',
  'InternalServiceError',
  'InternalServiceException',
  'TimeoutError',
  'RequestTimeout',
  'RequestTimeoutException',
  'AbortError',
])

/** [C] [S]: credentials that expired, were rotated away, or were signed with a clock that is off. */
const CREDENTIALS = new Set([
  'ExpiredToken',
  'ExpiredTokenException',
  'RequestExpired',
  'UnrecognizedClientException',
  'InvalidClientTokenId',
  'InvalidSignatureException',
  'SignatureDoesNotMatch',
  'IncompleteSignature',
  'IncompleteSignatureException',
  'AuthFailure',
  'RequestTimeTooSkewed',
  'MissingAuthenticationToken',
  'MissingAuthenticationTokenException',
])

/** [F] [C]: one record, or the size of the call. */
const INVALID = new Set([
  'InvalidArgumentException',
  'InvalidArgument',
  'ValidationException',
  'SerializationException',
  'RequestEntityTooLarge',
  'RequestEntityTooLargeException',
])

/** [F]: an InvalidArgumentException that is about the stream, whatever the record. */
const STREAM_TAKES_NO_PUTS = /not permitted on .* delivery stream type|KinesisStreamAsSource|MSKAsSource/i

/** [F] [C] [S]: refused by a policy. */
const DENIED = new Set([
  'AccessDenied',
  'AccessDeniedException',
  'NotAuthorized',
  'UnauthorizedOperation',
  'UnauthorizedException',
])

/** The SDK finds no credentials, wherever it looks. */
const NO_CREDENTIALS = 'CredentialsProviderError'

/** [F] [C] [S]: missing, disabled, or set up wrongly. */
const MISCONFIGURED = new Set([
  'ResourceNotFoundException',
  'ResourceInUseException',
  'InvalidKMSResourceException',
  'InvalidSourceException',
  'KMSAccessDeniedException',
  'KMSDisabledException',
  'KMSInvalidStateException',
  'KMSNotFoundException',
  'KMSOptInRequired',
  'OptInRequired',
  'RegionDisabledException',
  'ValidationError',
  'MalformedPolicyDocument',
  'MalformedPolicyDocumentException',
  'PackedPolicyTooLarge',
  'PackedPolicyTooLargeException',
  NO_CREDENTIALS,
])

/** The class of an error thrown by the AWS SDK, or of AWS's code for one record (`{ name: ErrorCode }`). */
export function classify(error: unknown): ClassifiedError {
  // A role that cannot be assumed: what STS said decides, but nothing in the records is at fault.
  if (error instanceof FirehoseError && error.code === 'ERR_ASSUME_ROLE') {
    const below = classify(error.cause)
    return { class: below.class === 'retry' ? 'retry' : 'park', throttled: false }
  }
  const { name, message, status } = describe(error)
  if (THROTTLING.has(name)) return { class: 'retry', throttled: true }
  if (PASSING.has(name)) return { class: 'retry', throttled: false }
  if (CREDENTIALS.has(name)) return { class: 'reauth', throttled: false }
  if (INVALID.has(name))
    return { class: STREAM_TAKES_NO_PUTS.test(message) ? 'park' : 'isolate', throttled: false }
  if (DENIED.has(name) || MISCONFIGURED.has(name)) return { class: 'park', throttled: false }
  return byStatus(status)
}

/** Whether a policy refused the call: the one case in which another API may still be allowed. */
export function isAccessDenied(error: unknown): boolean {
  return DENIED.has(describe(error).name)
}

/**
 * Whether there were no credentials to call with, or to assume the role with. Who has had some can wait for more: those
 * of machines and containers are asked for over the network.
 */
export function isWithoutCredentials(error: unknown): boolean {
  const isOfRole = error instanceof FirehoseError && error.code === 'ERR_ASSUME_ROLE'
  return describe(isOfRole ? error.cause : error).name === NO_CREDENTIALS
}

/** A code that is in no list. Below 400 it is no answer of AWS's at all: the network, or a garbled answer. */
function byStatus(status: number): ClassifiedError {
  if (status === 429 || status === 503) return { class: 'retry', throttled: true }
  if (status === 413) return { class: 'isolate', throttled: false }
  if (status === 408 || status >= 500 || status < 400) return { class: 'retry', throttled: false }
  return { class: 'park', throttled: false }
}

function describe(error: unknown): { name: string; message: string; status: number } {
  const given = (typeof error === 'object' && error !== null ? error : {}) as {
    name?: unknown
    message?: unknown
    $metadata?: { httpStatusCode?: unknown }
  }
  const status = given.$metadata?.httpStatusCode
  return {
    name: typeof given.name === 'string' ? given.name : '',
    message: typeof given.message === 'string' ? given.message : '',
    status: typeof status === 'number' ? status : 0,
  }
}
