import {
  InvalidArgumentException,
  InvalidKMSResourceException,
  InvalidSourceException,
  LimitExceededException,
  ResourceInUseException,
  ResourceNotFoundException,
  ServiceUnavailableException,
} from '@aws-sdk/client-firehose'
import {
  ExpiredTokenException,
  MalformedPolicyDocumentException,
  PackedPolicyTooLargeException,
  RegionDisabledException,
} from '@aws-sdk/client-sts'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  classify,
  type ErrorClass,
  isAccessDenied,
  isOfConnection,
} from '../../../plugin/aws/error-classes.js'
import { ERROR_CODES, FirehoseError } from '../../../plugin/errors.js'

/** The table as documented: AWS's code, the class, whether it asks for fewer calls. */
const table: [code: string, errorClass: ErrorClass, throttled: boolean][] = [
  ...throttling(
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
    'KMSThrottlingException',
    'KmsThrottled',
    'KMS.ThrottlingException',
    'OverLimit',
    'AnyNewThrottlingException',
  ),
  ...of(
    'retry',
    'InternalFailure',
    'InternalFailureException',
    'InternalServerError',
    'InternalServiceError',
    'InternalServiceException',
    'InternalError',
    'ServiceFailure',
    'IDPCommunicationError',
    'TimeoutError',
    'RequestTimeout',
    'RequestTimeoutException',
    'AbortError',
  ),
  ...of(
    'reauth',
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
  ),
  ...of(
    'isolate',
    'InvalidArgumentException',
    'InvalidArgument',
    'ValidationException',
    'SerializationException',
    'RequestEntityTooLarge',
    'RequestEntityTooLargeException',
    'BatchRequestTooLong',
    'AWS.SimpleQueueService.BatchRequestTooLong',
    'MessageTooLong',
    'InvalidMessageContents',
    'InvalidParameterValue',
    'ReceiptHandleIsInvalid',
  ),
  ...of(
    'park',
    'AccessDenied',
    'AccessDeniedException',
    'NotAuthorized',
    'UnauthorizedOperation',
    'UnauthorizedException',
    'ResourceNotFoundException',
    'ResourceInUseException',
    'InvalidKMSResourceException',
    'InvalidSourceException',
    'KMSAccessDeniedException',
    'KMSDisabledException',
    'KMSInvalidStateException',
    'KMSNotFoundException',
    'KMSOptInRequired',
    'KmsAccessDenied',
    'KMS.AccessDeniedException',
    'KmsDisabled',
    'KMS.NotFoundException',
    'QueueDoesNotExist',
    'AWS.SimpleQueueService.NonExistentQueue',
    'InvalidAddress',
    'InvalidIdentityToken',
    'InvalidIdentityTokenException',
    'SubscriptionRequiredException',
    'OptInRequired',
    'RegionDisabledException',
    'ValidationError',
    'MalformedPolicyDocument',
    'PackedPolicyTooLarge',
    'CredentialsProviderError',
  ),
]

describe('an error of AWS', () => {
  it.each(table)('%s: %s, throttled %s', (name, errorClass, throttled) => {
    const expected = { class: errorClass, throttled }
    // The code of one record in an answer that is 200, then what the SDK throws, with whatever status.
    expect(classify({ name })).toEqual(expected)
    for (const httpStatusCode of [400, 403, 500, 503]) {
      expect(classify(Object.assign(new Error('message'), { name, $metadata: { httpStatusCode } }))).toEqual(
        expected,
      )
    }
  })

  const options = { message: 'message', $metadata: { httpStatusCode: 400 } }

  it.each<[Error, ErrorClass, boolean]>([
    [new ServiceUnavailableException({ ...options, message: 'Slow down.' }), 'retry', true],
    [new LimitExceededException(options), 'retry', true],
    [new InvalidArgumentException(options), 'isolate', false],
    [new InvalidKMSResourceException(options), 'park', false],
    [new InvalidSourceException(options), 'park', false],
    [new ResourceInUseException(options), 'park', false],
    [new ResourceNotFoundException(options), 'park', false],
    [new ExpiredTokenException(options), 'reauth', false],
    [new MalformedPolicyDocumentException({ ...options, $metadata: {} }), 'park', false],
    [new PackedPolicyTooLargeException({ ...options, $metadata: {} }), 'park', false],
    [new RegionDisabledException(options), 'park', false],
  ])('as the SDK makes it, %s: %s', (error, errorClass, throttled) => {
    expect(classify(error)).toEqual({ class: errorClass, throttled })
  })

  it('about what the stream takes at all is parked, not split', () => {
    const message = 'This operation is not permitted on KinesisStreamAsSource delivery stream type.'
    expect(classify(new InvalidArgumentException({ ...options, message })).class).toBe('park')
    expect(classify({ name: 'InvalidArgumentException', message: 'MSKAsSource' }).class).toBe('park')
    expect(classify({ name: 'InvalidArgumentException', message: 'Record is empty' }).class).toBe('isolate')
  })
})

describe('a code that stands for several causes goes by its message', () => {
  it.each<[string, string, ErrorClass]>([
    ['InvalidIdentityToken', "Couldn't retrieve verification key from your identity provider", 'retry'],
    ['InvalidIdentityToken', 'No OpenIDConnect provider found in your account', 'park'],
    [
      'InvalidSignatureException',
      'Signature not yet current: 20260101T000000Z is still later than',
      'reauth',
    ],
    ['SignatureDoesNotMatch', "Credential should be scoped to a valid region, not 'us-east-1'.", 'park'],
    ['SignatureDoesNotMatch', "Credential should be scoped to correct service: 'firehose'.", 'park'],
    ['SignatureDoesNotMatch', 'The request signature we calculated does not match', 'reauth'],
    ['CredentialsProviderError', 'Error: connect ECONNREFUSED 169.254.170.2:80', 'retry'],
    ['CredentialsProviderError', 'Server responded with status: 500', 'retry'],
    ['CredentialsProviderError', 'Server responded with status: 404', 'park'],
  ])('%s: %s', (name, message, errorClass) => {
    expect(classify(Object.assign(new Error(message), { name })).class).toBe(errorClass)
  })

  it('asks for no other API where a key or a role is refused', () => {
    const denied = (message: string) => Object.assign(new Error(message), { name: 'AccessDeniedException' })
    expect(isAccessDenied(denied('not authorized to perform: firehose:PutRecordBatch'))).toBe(true)
    expect(isAccessDenied(denied('not authorized to perform: kms:GenerateDataKey'))).toBe(false)
    expect(isAccessDenied(denied('not authorized to perform: sts:AssumeRole'))).toBe(false)
  })

  it('is not the detail that AWS gives beside it', () => {
    const error = { name: 'InvalidKMSResourceException', $fault: 'client', code: 'ThrottlingException' }
    expect(classify(error)).toEqual({ class: 'park', throttled: false })
  })
})

describe('an answer with a code that is in no list', () => {
  it.each<[number, ErrorClass, boolean]>([
    [400, 'park', false],
    [401, 'park', false],
    [403, 'park', false],
    [404, 'park', false],
    [408, 'retry', false],
    [407, 'park', false],
    [413, 'isolate', false],
    [429, 'retry', true],
    [500, 'retry', false],
    [502, 'retry', false],
    [503, 'retry', true],
    [504, 'retry', false],
    [200, 'retry', false],
    [302, 'retry', false],
  ])('and status %i: %s, throttled %s', (httpStatusCode, errorClass, throttled) => {
    const error = Object.assign(new Error('?'), { name: 'BrandNewException', $metadata: { httpStatusCode } })
    expect(classify(error)).toEqual({ class: errorClass, throttled })
  })
})

describe('what is no answer of AWS', () => {
  it.each(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH'])(
    '%s passes',
    (code) => {
      const error = Object.assign(new Error(`connect ${code} 127.0.0.1:4566`), { code })
      expect(classify(error)).toEqual({ class: 'retry', throttled: false })
    },
  )

  it.each(['SELF_SIGNED_CERT_IN_CHAIN', 'CERT_HAS_EXPIRED', 'ERR_TLS_CERT_ALTNAME_INVALID', 'EPROTO'])(
    '%s is for someone to mend',
    (code) => {
      expect(classify(Object.assign(new Error('certificate'), { code })).class).toBe('park')
    },
  )

  it.each<[object, boolean]>([
    [{ name: 'TimeoutError' }, true],
    [{ name: 'AbortError' }, true],
    [{ name: 'TimeoutError', code: 'ECONNRESET' }, true],
    [{ code: 'EPIPE' }, true],
    [{ message: 'The answer ended too soon' }, true],
    [{ code: 'ECONNREFUSED' }, false],
    [{ name: 'ServiceUnavailableException' }, false],
  ])('%j is of a connection: %s', (error, expected) => {
    expect(isOfConnection(error)).toBe(expected)
  })

  it('an answer that is garbage passes, whatever its status says below 400', () => {
    const garbage = new SyntaxError('Unexpected token < in JSON at position 0')
    expect(classify(garbage).class).toBe('retry')
    expect(classify(Object.assign(garbage, { $metadata: { httpStatusCode: 200 } })).class).toBe('retry')
    expect(classify(Object.assign(garbage, { $metadata: { httpStatusCode: 502 } })).class).toBe('retry')
  })

  it.each([
    undefined,
    null,
    'text',
    5,
    {},
    { name: 5 },
    { $metadata: null },
    { $metadata: { httpStatusCode: '503' } },
  ])('%j passes', (thrown) => {
    expect(classify(thrown)).toEqual({ class: 'retry', throttled: false })
  })

  it('gets a class whatever it is', () => {
    fc.assert(
      fc.property(fc.anything(), (thrown) => {
        expect(['retry', 'reauth', 'isolate', 'park']).toContain(classify(thrown).class)
      }),
    )
  })
})

describe('a role that cannot be assumed', () => {
  it.each<[unknown, ErrorClass]>([
    [{ name: 'AccessDenied' }, 'park'],
    [{ name: 'ExpiredToken' }, 'park'],
    [{ name: 'ValidationError' }, 'park'],
    [{ name: 'RequestEntityTooLarge' }, 'park'],
    [{ name: 'Throttling' }, 'retry'],
    [{ name: 'ServiceUnavailable' }, 'retry'],
    [Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }), 'retry'],
  ])('for %j: %s, and the stream is not throttled', (cause, errorClass) => {
    const error = new FirehoseError('ERR_ASSUME_ROLE', 'Cannot assume', { cause })
    expect(classify(error)).toEqual({ class: errorClass, throttled: false })
  })
})

describe('isAccessDenied', () => {
  const denied = new Set([
    'AccessDenied',
    'AccessDeniedException',
    'NotAuthorized',
    'UnauthorizedOperation',
    'UnauthorizedException',
  ])

  it.each([...table.map(([name]) => name), ...ERROR_CODES])('of %s', (name) => {
    expect(isAccessDenied({ name })).toBe(denied.has(name))
  })
})

function of(errorClass: ErrorClass, ...codes: string[]): [string, ErrorClass, boolean][] {
  return codes.map((code) => [code, errorClass, false])
}

function throttling(...codes: string[]): [string, ErrorClass, boolean][] {
  return codes.map((code) => [code, 'retry', true])
}
