import { AwsError } from './aws-error.js'
import type { Service } from './service.js'

/** Why a request's signature is not accepted. */
export type AuthenticationFailure =
  | 'missing'
  | 'incomplete'
  | 'unknown-key'
  | 'wrong-signature'
  | 'wrong-time'
  | 'expired-credentials'

/**
 * The protocols name the same failure differently: JSON services answer 400 with long names, STS and S3 403 with
 * short ones. https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html,
 * https://docs.aws.amazon.com/firehose/latest/APIReference/CommonErrors.html
 */
const ERRORS: Readonly<Record<Service, Readonly<Record<AuthenticationFailure, [string, number]>>>> = {
  firehose: {
    missing: ['MissingAuthenticationTokenException', 400],
    incomplete: ['IncompleteSignatureException', 400],
    'unknown-key': ['UnrecognizedClientException', 400],
    'wrong-signature': ['InvalidSignatureException', 400],
    'wrong-time': ['InvalidSignatureException', 400],
    'expired-credentials': ['ExpiredTokenException', 400],
  },
  // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html
  sqs: {
    missing: ['MissingAuthenticationTokenException', 400],
    incomplete: ['IncompleteSignatureException', 400],
    'unknown-key': ['UnrecognizedClientException', 403],
    'wrong-signature': ['InvalidSignatureException', 403],
    'wrong-time': ['InvalidSignatureException', 403],
    'expired-credentials': ['ExpiredTokenException', 403],
  },
  sts: {
    missing: ['MissingAuthenticationToken', 403],
    incomplete: ['IncompleteSignature', 400],
    'unknown-key': ['InvalidClientTokenId', 403],
    'wrong-signature': ['SignatureDoesNotMatch', 403],
    'wrong-time': ['SignatureDoesNotMatch', 403],
    'expired-credentials': ['ExpiredToken', 403],
  },
  // https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
  s3: {
    missing: ['AccessDenied', 403],
    incomplete: ['AuthorizationHeaderMalformed', 400],
    'unknown-key': ['InvalidAccessKeyId', 403],
    'wrong-signature': ['SignatureDoesNotMatch', 403],
    'wrong-time': ['RequestTimeTooSkewed', 403],
    'expired-credentials': ['ExpiredToken', 400],
  },
}

const MESSAGES: Readonly<Record<AuthenticationFailure, string>> = {
  missing: 'Missing Authentication Token',
  incomplete: 'Request signature is incomplete.',
  'unknown-key': 'The security token included in the request is invalid.',
  'wrong-signature':
    'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
  'wrong-time': 'The difference between the request time and the current time is too large.',
  'expired-credentials': 'The security token included in the request is expired',
}

export function authenticationError(
  service: Service,
  failure: AuthenticationFailure,
  message = MESSAGES[failure],
): AwsError {
  const [code, status] = ERRORS[service][failure]
  return new AwsError(code, status, message)
}
