import { FirehoseClient as Firehose, type FirehoseClient, PutRecordCommand } from '@aws-sdk/client-firehose'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { afterEach, describe, expect, test } from '@jest/globals'
import { ANYONE, bytes, REGION, raw, type SessionCredentials, start, stopAll, target } from './harness.js'

afterEach(stopAll)

const put = new PutRecordCommand({ DeliveryStreamName: 's', Record: { Data: bytes('x') } })

interface SignedRequest {
  headers: Record<string, string>
  body: Uint8Array
}

/** Changes each request after it has been signed, as someone in between would. */
function tampered(client: FirehoseClient, change: (request: SignedRequest) => void): FirehoseClient {
  client.middlewareStack.add(
    (next) => (args) => {
      change(args.request as SignedRequest)
      return next(args)
    },
    { step: 'finalizeRequest', priority: 'low', name: 'tamper' },
  )
  return client
}

const invalid = (message: string | RegExp = /does not match the signature you provided/) => ({
  name: 'InvalidSignatureException',
  message: expect.stringMatching(message),
  $metadata: expect.objectContaining({ httpStatusCode: 400 }),
})

describe('credentials of AssumeRole', () => {
  test.each<[string, (issued: Required<SessionCredentials>) => SessionCredentials, string]>([
    [
      'with another secret',
      (c) => ({ ...c, secretAccessKey: `${c.secretAccessKey}x` }),
      'InvalidSignatureException',
    ],
    [
      'with another token',
      (c) => ({ ...c, sessionToken: `${c.sessionToken}x` }),
      'UnrecognizedClientException',
    ],
    [
      'without the token',
      ({ accessKeyId, secretAccessKey }) => ({ accessKeyId, secretAccessKey }),
      'UnrecognizedClientException',
    ],
    [
      'issued by someone else',
      (c) => ({ ...c, accessKeyId: 'ASIAAAAAAAAAAAAAAAAA' }),
      'UnrecognizedClientException',
    ],
  ])('are refused %s', async (_, change, name) => {
    const { firehose, assumeRole } = await start()
    const issued = await assumeRole()
    await firehose(issued).send(put)
    await expect(firehose(change(issued)).send(put)).rejects.toMatchObject({ name })
  })

  test('end when they said they would', async () => {
    let now = Date.now()
    const { firehose, assumeRole, sts } = await start({
      now: () => now,
      maxClockSkewMs: Number.POSITIVE_INFINITY,
    })
    const issued = await assumeRole({ DurationSeconds: 900 })
    now += 899_999
    await firehose(issued).send(put)
    now += 1
    await expect(firehose(issued).send(put)).rejects.toMatchObject({
      name: 'ExpiredTokenException',
      message: 'The security token included in the request is expired',
      $metadata: { httpStatusCode: 400 },
    })
    await expect(sts(issued).send(new GetCallerIdentityCommand({}))).rejects.toMatchObject({
      name: 'ExpiredToken',
      $metadata: { httpStatusCode: 403 },
    })
  })

  test('end at once when told to, and new ones do not', async () => {
    const { aws, firehose, assumeRole } = await start()
    const issued = await assumeRole()
    aws.expireCredentials()
    await expect(firehose(issued).send(put)).rejects.toMatchObject({ name: 'ExpiredTokenException' })
    await firehose(await assumeRole()).send(put)
  })
})

describe('a signature', () => {
  test.each<[string, (request: SignedRequest) => void]>([
    ['body', (request) => (request.body = Uint8Array.from(request.body, (byte) => byte ^ 1))],
    ['operation', (request) => (request.headers['x-amz-target'] = 'Firehose_20150804.DeleteDeliveryStream')],
    ['content type', (request) => (request.headers['content-type'] = 'text/plain')],
    ['host', (request) => (request.headers['host'] = 'elsewhere.example')],
  ])('is over the %s', async (_, change) => {
    const { aws, firehose, assumeRole } = await start()
    const client = tampered(firehose(await assumeRole()), change)
    await expect(client.send(put)).rejects.toMatchObject(invalid())
    expect(aws.stats().records).toEqual({})
  })

  test('counts by what is sent, not by the hash that the client claims', async () => {
    const { firehose, assumeRole } = await start()
    const client = tampered(firehose(await assumeRole()), (request) => {
      request.headers['x-amz-content-sha256'] = 'UNSIGNED-PAYLOAD'
    })
    await expect(client.send(put)).rejects.toMatchObject(invalid())
  })

  test.each<[string, (request: SignedRequest) => void, string]>([
    ['service', rescope('/firehose/', '/kinesis/'), "scoped to correct service: 'firehose'"],
    ['region', rescope('/us-west-2/', '/nowhere/'), "scoped to a valid region, not 'nowhere'"],
    ['date', rescope(/\/\d{8}\//, '/20200101/'), 'Date in Credential scope does not match'],
    ['header', (request) => (request.headers['x-amz-more'] = 'x'), "'x-amz-more' must be a 'SignedHeader'"],
    ['host', rescope(';host;', ';'), "'Host' must be a 'SignedHeader'"],
  ])('is refused for a wrong %s', async (_, change, message) => {
    const { firehose } = await start()
    await expect(tampered(firehose(), change).send(put)).rejects.toMatchObject(invalid(message))
  })

  test.each([
    [-15 * 60_000 - 2_000, /^Signature expired: \d{8}T\d{6}Z is now earlier than .* - 15 min\.\)$/],
    [15 * 60_000 + 2_000, /^Signature not yet current: .* is still later than .* \+ 15 min\.\)$/],
  ])('is refused when its date is off by %d ms', async (systemClockOffset, message) => {
    const { aws } = await start()
    const client = new Firehose({
      endpoint: aws.endpoint,
      region: REGION,
      credentials: { ...ANYONE },
      maxAttempts: 1,
      systemClockOffset,
    })
    await expect(client.send(put)).rejects.toMatchObject(invalid(message))
    client.destroy()
  })

  test('that lacks a part, or is not there, is told so', async () => {
    const { aws } = await start()
    const send = async (authorization: string) => {
      const { status, text } = await raw(aws, { headers: { ...target('PutRecord'), authorization } })
      return [status, JSON.parse(text)]
    }
    expect(await send('')).toEqual([
      400,
      { __type: 'MissingAuthenticationTokenException', message: 'Missing Authentication Token' },
    ])
    expect(await send('AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request')).toEqual([
      400,
      {
        __type: 'IncompleteSignatureException',
        message:
          "Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter.",
      },
    ])
    expect(await send('AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=0')).toMatchObject([
      400,
      { message: expect.stringContaining('exactly 5 slash-delimited elements') },
    ])
  })
})

describe('access keys that are given', () => {
  const key = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'right' }

  test('are verified, and others unknown', async () => {
    const { firehose } = await start({ accessKeys: [key] })
    await firehose(key).send(put)
    await expect(firehose({ ...key, secretAccessKey: 'wrong' }).send(put)).rejects.toMatchObject(invalid())
    await expect(firehose(ANYONE).send(put)).rejects.toMatchObject({
      name: 'UnrecognizedClientException',
      message: 'The security token included in the request is invalid.',
    })
  })

  test('are spoken of by STS in its own words', async () => {
    const { aws } = await start({ accessKeys: [key] })
    const ask = (credentials: SessionCredentials) => {
      const client = new STSClient({ endpoint: aws.endpoint, region: REGION, credentials, maxAttempts: 1 })
      return client.send(new GetCallerIdentityCommand({})).finally(() => client.destroy())
    }
    await expect(ask({ ...key, secretAccessKey: 'wrong' })).rejects.toMatchObject({
      name: 'SignatureDoesNotMatch',
      $metadata: { httpStatusCode: 403 },
    })
    await expect(ask({ ...ANYONE })).rejects.toMatchObject({ name: 'InvalidClientTokenId' })
  })
})

function rescope(from: string | RegExp, to: string): (request: SignedRequest) => void {
  return (request) => {
    request.headers['authorization'] = (request.headers['authorization'] ?? '').replace(from, to)
  }
}
