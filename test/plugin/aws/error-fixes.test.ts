import { describe, expect, it } from '@jest/globals'
import { explainError, type FixContext, fixOf } from '../../../plugin/aws/error-fixes.js'
import { ERROR_TABLE, type ErrorRow } from '../../../plugin/aws/error-table.js'
import { FirehoseError } from '../../../plugin/errors.js'

const FIREHOSE: FixContext = { service: 'Firehose', region: 'eu-wst-1' }
const STS: FixContext = { service: 'STS', region: 'eu-wst-1' }
const SQS: FixContext = { service: 'SQS', region: 'eu-wst-1' }

/** As Node.js has them. */
function system(code: string, message: string, name = 'Error'): Error {
  return Object.assign(new Error(message), { code, name })
}

function provider(message: string): Error {
  return Object.assign(new Error(message), { name: 'CredentialsProviderError' })
}

describe('what is no answer of AWS', () => {
  it.each<[Error, FixContext, RegExp]>([
    [
      system('ENOTFOUND', 'getaddrinfo ENOTFOUND firehose.eu-wst-1.amazonaws.com'),
      FIREHOSE,
      /there is no such host: check the region, eu-wst-1, and endpoint/,
    ],
    [
      system('ENOTFOUND', 'getaddrinfo ENOTFOUND sqs'),
      SQS,
      /check the region, eu-wst-1, and the queue's URL/,
    ],
    [system('EAI_AGAIN', 'getaddrinfo EAI_AGAIN'), STS, /no name server answers/],
    [
      system('ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:1'),
      STS,
      /nothing listens there: check stsEndpoint/,
    ],
    [system('ECONNRESET', 'socket hang up', 'TimeoutError'), FIREHOSE, /cuts connections/],
    [system('EHOSTUNREACH', 'connect EHOSTUNREACH'), FIREHOSE, /no way leads there.*HTTPS_PROXY/],
    [system('ETIMEDOUT', 'connect ETIMEDOUT 1.2.3.4:443', 'TimeoutError'), FIREHOSE, /no way leads there/],
    [
      Object.assign(
        new Error(
          '@smithy/node-http-handler - the request socket did not establish a connection with the server',
        ),
        { name: 'TimeoutError' },
      ),
      FIREHOSE,
      /no way leads there/,
    ],
    [
      Object.assign(new Error('No answer within 5000 ms'), { name: 'TimeoutError' }),
      FIREHOSE,
      /see that Firehose can be reached.*raise requestTimeout/,
    ],
    [
      system('SELF_SIGNED_CERT_IN_CHAIN', 'self-signed certificate in chain'),
      FIREHOSE,
      /NODE_EXTRA_CA_CERTS/,
    ],
    [system('CERT_HAS_EXPIRED', 'certificate has expired'), FIREHOSE, /this machine's clock/],
    [system('ERR_TLS_CERT_ALTNAME_INVALID', 'does not match'), FIREHOSE, /the endpoint's host/],
    [system('EPROTO', 'wrong version number'), FIREHOSE, /speaks no TLS/],
    [system('EMFILE', 'too many open files'), FIREHOSE, /ulimit -n/],
    [
      system('ERR_INVALID_CHAR', 'Invalid character in header content ["authorization"]', 'TypeError'),
      FIREHOSE,
      /line break at its end/,
    ],
    [system('HTTP_403', 'opened no tunnel', 'ProxyError'), FIREHOSE, /check the proxy, in HTTPS_PROXY/],
    [system('HTTP_407', 'opened no tunnel', 'ProxyError'), FIREHOSE, /user name and password in its URL/],
  ])('%s', (error, context, fix) => {
    expect(fixOf(error, context)).toMatch(fix)
  })
})

describe('credentials that cannot be had', () => {
  it.each<[Error, RegExp]>([
    [provider('Could not load credentials from any providers'), /^give this process AWS credentials, from/],
    [provider('Error: connect ECONNREFUSED 169.254.170.2:80'), /^what gives the credentials does not answer/],
    [
      Object.assign(new Error('No AWS credentials came from x within 5000 ms'), { name: 'TimeoutError' }),
      /^what gives the credentials does not answer/,
    ],
    [provider('Server responded with status: 503'), /^what gives the credentials does not answer/],
    [
      provider('The SSO session associated with this profile has expired.'),
      /^sign in anew with `aws sso login`/,
    ],
    [
      system('ENOENT', "ENOENT: no such file or directory, open '/var/run/token'"),
      /^see that the file is there/,
    ],
    [
      Object.assign(new Error('Not authorized to perform sts:AssumeRoleWithWebIdentity'), {
        name: 'AccessDenied',
      }),
      /^check AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE/,
    ],
  ])('%s', (error, fix) => {
    expect(fixOf(error, FIREHOSE)).toMatch(fix)
  })
})

describe('a fix', () => {
  it('names the key that AWS names, else that of the settings, else what it is the key of', () => {
    const key = (id: string) => `arn:aws:kms:eu-west-1:123456789012:key/${id}`
    const denied = (message: string) =>
      Object.assign(new Error(message), { name: 'KMSAccessDeniedException' })
    expect(fixOf(denied(`for ${key('said')}`), { ...FIREHOSE, kmsKey: key('set') })).toContain(key('said'))
    expect(fixOf(denied('no'), { ...FIREHOSE, kmsKey: key('set') })).toContain(key('set'))
    expect(fixOf(denied('no'), FIREHOSE)).toContain("the ARN of the stream's key")
    expect(fixOf(denied('no'), SQS)).toContain("the ARN of the queue's key")
  })

  it('of a session that ended says that a new one is fetched', () => {
    const expired = Object.assign(new Error('expired'), { name: 'ExpiredTokenException' })
    const roleAddress = 'arn:aws:iam::123456789012:role/x'
    expect(fixOf(expired, { ...FIREHOSE, roleAddress })).toBe(
      "the role's session has ended, and a new one is fetched",
    )
    expect(fixOf(expired, FIREHOSE)).toMatch(/^this process's own AWS credentials have expired/)
  })

  it('is given once to an error of ours', () => {
    const cause = Object.assign(new Error('no'), { name: 'AccessDenied' })
    const error = new FirehoseError('ERR_ASSUME_ROLE', 'Cannot assume: no; the fix', { cause })
    expect(explainError(error, FIREHOSE)).toBe(error)
    expect(error.message).toBe('Cannot assume: no; the fix')
  })

  it('there is for whatever stops a stream', () => {
    const isGeneral = (row: ErrorRow) => row.class === 'park' && row.message === undefined
    const causes = new Set(ERROR_TABLE.filter(isGeneral).map(({ codes }) => codes[0]))
    for (const name of causes) {
      if (name === 'ValidationError') continue
      expect([name, fixOf(Object.assign(new Error(''), { name }), FIREHOSE)]).toEqual([
        name,
        expect.any(String),
      ])
    }
  })
})
