import { inspect } from 'node:util'
import { ServiceUnavailableException } from '@aws-sdk/client-firehose'
import { describe, expect, it } from '@jest/globals'
import { redact } from '../../../plugin/aws/redact.js'
import { FirehoseError } from '../../../plugin/errors.js'

const secret = 'src_Hush+1=,.@:/-'

function everythingOf(error: unknown): string {
  return inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true, getters: true })
}

describe('redact', () => {
  it('leaves an error as it reads where there is no secret in it', () => {
    const error = new TypeError('nothing to hide')
    for (const copy of [redact(error, secret), redact(error, undefined)]) {
      expect(copy).toBeInstanceOf(TypeError)
      expect(copy.message).toBe(error.message)
      expect(copy.stack).toBe(error.stack)
      expect(inspect(copy)).toBe(inspect(error))
    }
  })

  it('gives back an error of ours as it is, as its cause tells its class', () => {
    const error = new FirehoseError('ERR_ASSUME_ROLE', 'Cannot assume arn:aws:iam::123456789012:role/segment')
    expect(redact(error, 'segment')).toBe(error)
  })

  it('tells the code where a connection failed without a word', () => {
    const error = Object.assign(new AggregateError([new Error('connect ::1')]), { code: 'ECONNREFUSED' })
    expect(redact(error, secret)).toMatchObject({ message: 'ECONNREFUSED', code: 'ECONNREFUSED' })
  })

  it('keeps the class of an exception of the SDK', () => {
    const options = { message: `Slow down, ${secret}`, $metadata: { httpStatusCode: 503 } }
    const error = redact(new ServiceUnavailableException(options), secret)
    expect(error).toBeInstanceOf(ServiceUnavailableException)
    expect(error.name).toBe('ServiceUnavailableException')
    expect(error.message).toBe('Slow down, (external ID)')
  })

  it('strikes the secret out of message and stack, wherever it stands', () => {
    const error = redact(new Error(`${secret} is not ${secret}!`), secret)
    expect(error.message).toBe('(external ID) is not (external ID)!')
    expect(everythingOf(error)).not.toContain(secret)
  })

  it('strikes out the secret as a form or URL encodes it', () => {
    const error = redact(new Error(`in ExternalId=${encodeURIComponent(secret)}&Version=1`), secret)
    expect(error.message).toBe('in ExternalId=(external ID)&Version=1')
    expect(everythingOf(error)).not.toContain(encodeURIComponent(secret))
  })

  it.each([
    ['lower case', secret.replaceAll('/', '%2f').replaceAll('+', '%2b')],
    ['slashes as they are', encodeURIComponent(secret).replaceAll('%2F', '/')],
    ['JSON that escapes slashes', secret.replaceAll('/', '\\/')],
    ['another case', secret.toUpperCase()],
  ])('strikes out the secret in %s', (_, written) => {
    expect(redact(new Error(`in ${written}.`), secret).message).toBe('in (external ID).')
  })

  it.each([undefined, secret])(
    'strikes out session tokens, which AWS quotes of a wrong signature',
    (given) => {
      const token = `IQoJb3JpZ2luX2VjE${'aB3+/'.repeat(80)}==`
      const canonical = `should have been\n'POST\n/\n\nhost:h\nx-amz-date:d\nx-amz-security-token:short-token\nx:y'`
      const message = `${canonical}; ${token}; arn:aws:iam::123456789012:role/segment`
      expect(redact(new Error(message), given).message).toBe(
        message.replace('short-token', '(left out)').replace(token, '(left out)'),
      )
    },
  )

  it('keeps what the class of an error is told by', () => {
    const given = Object.assign(new Error(`no ${secret}`), {
      name: 'AccessDenied',
      $fault: 'client',
      $metadata: { httpStatusCode: 403 },
    })
    expect(redact(given, secret)).toMatchObject({
      name: 'AccessDenied',
      $fault: 'client',
      $metadata: { httpStatusCode: 403 },
    })
  })

  it.each<[string, object]>([
    ['cause', { cause: new Error(secret) }],
    ['a cause below the cause', { cause: { cause: new Error(secret) } }],
    ['the name', { name: secret }],
    ['the answer', { $response: { body: `<Message>${secret}</Message>` } }],
    ['metadata', { $metadata: { httpStatusCode: 403, extendedRequestId: secret } }],
    ['any other property', { Message: secret }],
  ])('leaves the secret in no other part: %s', (_name, properties) => {
    expect(everythingOf(redact(Object.assign(new Error('message'), properties), secret))).not.toContain(
      secret,
    )
    const hidden = new Error('message')
    for (const [key, value] of Object.entries(properties)) Object.defineProperty(hidden, key, { value })
    expect(everythingOf(redact(hidden, secret))).not.toContain(secret)
  })

  it('leaves the secret in no error of many', () => {
    const error = new AggregateError([new Error(secret)], 'connect')
    expect(everythingOf(redact(error, secret))).not.toContain(secret)
  })

  it.each([`text with ${secret}`, undefined, null, 5])('makes an error of %p', (thrown) => {
    const error = redact(thrown, secret)
    expect(error).toBeInstanceOf(Error)
    expect(everythingOf(error)).not.toContain(secret)
  })
})
