/**
 * What to do about an error of AWS:
 * - `retry`: it passes; wait and send again.
 * - `reauth`: the credentials are spent; fetch new ones and send again.
 * - `isolate`: something in the call is invalid; split it until the bad record stands alone.
 * - `park`: someone has to change something first; stop, and look in from time to time.
 */
export type ErrorClass = 'retry' | 'reauth' | 'isolate' | 'park'

/** Errors that are mended in the same way; each has its fix in `error-fixes.ts`. */
export type ErrorCause =
  | 'throttled'
  | 'failing'
  | 'silent'
  | 'reset'
  | 'unreachable'
  | 'refused-connection'
  | 'unknown-host'
  | 'dns'
  | 'certificate'
  | 'no-tls'
  | 'open-files'
  | 'proxy'
  | 'proxy-password'
  | 'bad-header'
  | 'clock'
  | 'scope'
  | 'expired'
  | 'unknown-key'
  | 'signature'
  | 'no-credentials'
  | 'credentials-away'
  | 'credentials-file'
  | 'sso'
  | 'web-identity'
  | 'identity-provider'
  | 'denied'
  | 'denied-role'
  | 'denied-session'
  | 'kms-denied'
  | 'kms-key'
  | 'missing'
  | 'stream-type'
  | 'source'
  | 'busy'
  | 'region-disabled'
  | 'account'
  | 'session-length'
  | 'session-size'
  | 'invalid-request'
  | 'invalid'
  | 'too-large'
  | 'receipt'
  | 'not-aws'
  | 'refused'
  | 'unknown'

export interface ErrorRow {
  readonly cause: ErrorCause
  readonly class: ErrorClass
  /** AWS asks for fewer calls. */
  readonly throttled: boolean
  readonly codes: readonly string[]
  /** What the message has to be like, where the code stands for several causes. The first row that fits counts. */
  readonly message: RegExp | undefined
}

/** `throttle` is `retry`, with fewer calls. The codes are separated by white space. */
function row(cause: ErrorCause, what: ErrorClass | 'throttle', codes: string, message?: RegExp): ErrorRow {
  const throttled = what === 'throttle'
  return { cause, class: throttled ? 'retry' : what, throttled, codes: codes.trim().split(/\s+/), message }
}

const DENIED = 'AccessDenied AccessDeniedException NotAuthorized UnauthorizedOperation UnauthorizedException'

const WRONG_SIGNATURE =
  'InvalidSignatureException SignatureDoesNotMatch IncompleteSignature IncompleteSignatureException'

const INVALID = 'InvalidArgumentException InvalidArgument ValidationException SerializationException'

/**
 * Every code, from the most particular to the most general. Codes decide before flags and statuses do: SQS marks
 * entries that it throttles as the sender's fault, and KMS answers 400 where it throttles.
 *
 * Sources:
 * [F] https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html#API_PutRecordBatch_Errors
 * [C] https://docs.aws.amazon.com/firehose/latest/APIReference/CommonErrors.html
 * [S] https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html#API_AssumeRole_Errors
 * [W] https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html#API_AssumeRoleWithWebIdentity_Errors
 * [Q] https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html#API_SendMessageBatch_Errors
 *     with the codes of the query protocol, which entries of a batch may still have, from the errors of `@aws-sdk/client-sqs`
 * [R] https://github.com/smithy-lang/smithy-typescript/blob/main/packages/core/src/submodules/retry/service-error-classification/constants.ts
 * [N] https://nodejs.org/api/errors.html#common-system-errors and https://nodejs.org/api/tls.html#x509-certificate-error-codes
 */
export const ERROR_TABLE: readonly ErrorRow[] = [
  // [F] [C] [Q] [R], and the codes of the SDK's own list of throttling errors.
  row(
    'throttled',
    'throttle',
    `
    ServiceUnavailableException ServiceUnavailable Throttling ThrottlingException ThrottledException
    RequestThrottled RequestThrottledException RequestLimitExceeded TooManyRequestsException
    BandwidthLimitExceeded LimitExceededException SlowDown EC2ThrottledException PriorRequestNotComplete
    ProvisionedThroughputExceededException TransactionInProgressException KMSThrottlingException
    KmsThrottled KMS.ThrottlingException OverLimit`,
  ),
  // [C] [Q]
  row(
    'failing',
    'retry',
    `
    InternalFailure InternalFailureException InternalError InternalServerError InternalServerException
    InternalServiceError InternalServiceException ServiceFailure ConcurrentModificationException
    KMSInternalException`,
  ),
  // [N] Named TimeoutError by the SDK as well.
  row('reset', 'retry', 'ECONNRESET EPIPE ECONNABORTED ERR_STREAM_PREMATURE_CLOSE'),
  row('unreachable', 'retry', 'EHOSTUNREACH ENETUNREACH EHOSTDOWN ENETDOWN EADDRNOTAVAIL'),
  row('unreachable', 'retry', 'EACCES EPERM ETIMEDOUT', /^connect /),
  // Only a provider of credentials reads files.
  row('credentials-file', 'retry', 'ENOENT EACCES EPERM EISDIR'),
  row('unreachable', 'retry', 'TimeoutError', /did not establish a connection/),
  row('credentials-away', 'retry', 'TimeoutError', /^No AWS credentials came/),
  row('refused-connection', 'retry', 'ECONNREFUSED'),
  row('unknown-host', 'retry', 'ENOTFOUND'),
  row('dns', 'retry', 'EAI_AGAIN EAI_FAIL ESERVFAIL ECANCELLED'),
  row('open-files', 'retry', 'EMFILE ENFILE ENOBUFS'),
  // [N]
  row(
    'certificate',
    'park',
    `
    UNABLE_TO_VERIFY_LEAF_SIGNATURE UNABLE_TO_GET_ISSUER_CERT UNABLE_TO_GET_ISSUER_CERT_LOCALLY
    SELF_SIGNED_CERT_IN_CHAIN DEPTH_ZERO_SELF_SIGNED_CERT CERT_CHAIN_TOO_LONG CERT_HAS_EXPIRED
    CERT_NOT_YET_VALID CERT_REVOKED CERT_REJECTED CERT_SIGNATURE_FAILURE CERT_UNTRUSTED
    HOSTNAME_MISMATCH INVALID_CA INVALID_PURPOSE ERR_TLS_CERT_ALTNAME_INVALID`,
  ),
  row('no-tls', 'park', 'EPROTO ERR_SSL_WRONG_VERSION_NUMBER HPE_INVALID_CONSTANT'),
  row('bad-header', 'park', 'ERR_INVALID_CHAR ERR_INVALID_URL'),
  row('proxy-password', 'park', 'HTTP_407'),
  row('proxy', 'retry', 'ProxyError'),
  // What the SDK and this package say of an answer that does not come.
  row('silent', 'retry', 'ETIMEDOUT TimeoutError AbortError RequestTimeout RequestTimeoutException'),
  row('not-aws', 'retry', 'AnswerTooLarge'),

  // [C] [S]: signed with a clock that is off, which the next call corrects by the time of this answer.
  row('clock', 'reauth', WRONG_SIGNATURE, /signature (?:has )?expired|not yet (?:current|valid)/i),
  row('clock', 'reauth', 'RequestTimeTooSkewed RequestExpired RequestInTheFuture'),
  // The region or the service that was signed for is another than the endpoint's.
  row(
    'scope',
    'park',
    `${WRONG_SIGNATURE} InvalidClientTokenId UnrecognizedClientException AuthFailure`,
    /credential should be scoped/i,
  ),
  row('scope', 'park', 'AuthorizationHeaderMalformed InvalidAddress'),
  row(
    'expired',
    'reauth',
    'ExpiredToken ExpiredTokenException TokenRefreshRequired ExpiredTradeInTokenException',
  ),
  row(
    'unknown-key',
    'reauth',
    `
    UnrecognizedClientException InvalidClientTokenId InvalidAccessKeyId AuthFailure
    MissingAuthenticationToken MissingAuthenticationTokenException`,
  ),
  row('signature', 'reauth', WRONG_SIGNATURE),

  // What the SDK's providers say, whose errors have one name for all.
  row(
    'credentials-away',
    'retry',
    'CredentialsProviderError',
    /TimeoutError|timed out|status: (?:429|5\d\d)|\bE(?:CONN|HOST|NET|AI_)[A-Z]+\b|Unable to connect/,
  ),
  row('sso', 'park', 'CredentialsProviderError', /\bsso\b|aws login/i),
  row('no-credentials', 'park', 'CredentialsProviderError'),

  // [W]
  row(
    'identity-provider',
    'retry',
    'InvalidIdentityToken InvalidIdentityTokenException',
    /retrieve verification key/i,
  ),
  row('identity-provider', 'retry', 'IDPCommunicationError IDPCommunicationErrorException'),
  row(
    'web-identity',
    'park',
    `
    InvalidIdentityToken InvalidIdentityTokenException IDPRejectedClaim IDPRejectedClaimException`,
  ),

  // [F] [Q]: KMS, by its own codes or by what a policy refuses.
  row('kms-denied', 'park', DENIED, /\bkms:[A-Z]/i),
  row('kms-denied', 'park', 'InvalidKMSResourceException', /sufficient permissions|AccessDenied/i),
  row('kms-denied', 'park', 'KMSAccessDeniedException KmsAccessDenied KMS.AccessDeniedException'),
  row(
    'kms-key',
    'park',
    `
    InvalidKMSResourceException KMSDisabledException KmsDisabled KMS.DisabledException
    KMSInvalidStateException KmsInvalidState KMS.InvalidStateException KMSNotFoundException KmsNotFound
    KMS.NotFoundException KMSOptInRequired KmsOptInRequired KMS.OptInRequired KmsInvalidKeyUsage
    KMS.InvalidKeyUsageException`,
  ),

  // [F] [C] [S]: refused by a policy.
  row('denied-session', 'park', DENIED, /sts:(?:TagSession|SetSourceIdentity)/),
  row('web-identity', 'park', DENIED, /sts:AssumeRoleWithWebIdentity/),
  row('denied-role', 'park', DENIED, /sts:AssumeRole/),
  row('denied', 'park', DENIED),

  // [F] [C] [S] [Q]: missing, disabled, or set up wrongly.
  row(
    'missing',
    'park',
    'ResourceNotFoundException QueueDoesNotExist AWS.SimpleQueueService.NonExistentQueue',
  ),
  row('busy', 'park', 'ResourceInUseException QueueDeletedRecently'),
  row('source', 'park', 'InvalidSourceException'),
  row('region-disabled', 'park', 'OptInRequired RegionDisabledException RegionDisabled'),
  row(
    'account',
    'park',
    'SubscriptionRequiredException AccountProblem Blocked PendingVerification InvalidSecurity',
  ),
  row('session-length', 'park', 'ValidationError', /DurationSeconds|session limit/i),
  row('session-size', 'park', 'PackedPolicyTooLarge PackedPolicyTooLargeException'),
  row(
    'invalid-request',
    'park',
    `
    ValidationError MalformedPolicyDocument MalformedPolicyDocumentException UnsupportedOperation
    AWS.SimpleQueueService.UnsupportedOperation`,
  ),

  // [F]: an InvalidArgumentException that is about the stream, whatever the record.
  row(
    'stream-type',
    'park',
    INVALID,
    /not permitted on .* delivery stream type|KinesisStreamAsSource|MSKAsSource/i,
  ),
  // [F] [C] [Q]: one record, or the size of the call.
  row(
    'too-large',
    'isolate',
    `
    RequestEntityTooLarge RequestEntityTooLargeException BatchRequestTooLong
    AWS.SimpleQueueService.BatchRequestTooLong MessageTooLong`,
  ),
  row(
    'receipt',
    'isolate',
    'ReceiptHandleIsInvalid MessageNotInflight AWS.SimpleQueueService.MessageNotInflight',
  ),
  row(
    'invalid',
    'isolate',
    `${INVALID} InvalidMessageContents InvalidParameterValue InvalidParameterValueException`,
  ),
]
