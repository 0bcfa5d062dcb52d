import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { createClientPool } from '../../plugin/aws/client-pool.js'
import { createLazyPut } from '../../plugin/aws/sdk.js'
import { systemClock } from '../../plugin/clock.js'
import { parseSettings } from '../../plugin/settings/configuration.js'
import type { DestinationSettings } from '../../plugin/settings/settings.js'
import { QueueApi } from '../../plugin/spill/queue-api.js'
import { unusable } from '../../plugin/spill/queue-settings.js'
import { ROLE } from './aws.js'

const EXTERNAL_ID = 'src_Hush+1=,.@:/-'
const KEY = 'arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab'
const HTML = `<html>\n<head><title>403 Forbidden</title></head>\n<body>You asked as ${EXTERNAL_ID}.</body></html>`

interface Said {
  readonly status: number
  readonly body: string
  readonly headers?: Record<string, string>
}

let server: Server
let endpoint: string
let said: Said

const cleanUps: (() => unknown)[] = []

beforeAll(async () => {
  server = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(said.status, said.headers).end(said.body))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp()
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

function configuration(settings: Partial<DestinationSettings> = {}) {
  return parseSettings({
    region: 'eu-west-1',
    endpoint,
    stsEndpoint: endpoint,
    sourceId: EXTERNAL_ID,
    clientConfig: { credentials: { accessKeyId: 'AKIAEXAMPLE000000000', secretAccessKey: 'base-secret' } },
    mappedStreams: [{ event: '*', stream: 'all', kmsKey: KEY }],
    ...settings,
  })
}

/** What Firehose's answer is told as. */
async function ofFirehose(answer: Said, settings: Partial<DestinationSettings> = {}): Promise<string> {
  said = answer
  const pool = createClientPool()
  cleanUps.push(() => pool.close())
  const settled = configuration(settings)
  const put = createLazyPut({ ...settled, client: () => pool.get(settled), clock: systemClock })
  const result = await put('PutRecordBatch', 'all', [Buffer.from('{}')])
  return 'refusal' in result ? `${result.refusal.class}: ${result.refusal.error.message}` : 'taken'
}

async function ofSts(answer: Said): Promise<string> {
  return ofFirehose(answer, { roleAddress: ROLE })
}

async function ofSqs(answer: Said): Promise<string> {
  said = answer
  const queue = { queueUrl: `${endpoint}/123456789012/spill`, region: 'eu-west-1' }
  const sdk = await import('@aws-sdk/client-sqs')
  const { serviceClient } = await import('../../plugin/aws/service-client.js')
  const { rememberAnswers } = await import('../../plugin/aws/answer.js')
  const parts = serviceClient({
    region: queue.region,
    clock: systemClock,
    maxAnswerBytes: 1_000_000,
    clientConfig: configuration().clientConfig,
  })
  const client = new sdk.SQSClient({ ...parts.config, endpoint })
  rememberAnswers(client.middlewareStack)
  cleanUps.push(() => client.destroy())
  return new QueueApi(sdk, client, queue, systemClock).attributes().then(
    () => 'answered',
    (error: Error) => unusable(queue, error)?.message ?? error.message,
  )
}

const json = (code: string, message: string, status = 400): Said => ({
  status,
  body: JSON.stringify({ __type: `com.amazonaws#${code}`, message }),
  headers: { 'content-type': 'application/x-amz-json-1.1' },
})

const xml = (code: string, message: string, status = 403): Said => ({
  status,
  body: `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`,
  headers: { 'content-type': 'text/xml' },
})

describe('an answer that is not one of AWS', () => {
  it.each<[string, Said, string]>([
    [
      'a page',
      { status: 403, body: HTML },
      '"<html> <head><title>403 Forbidden</title></head> <body>You asked as',
    ],
    ['text', { status: 502, body: 'Bad gateway' }, '"Bad gateway"'],
    ['nothing', { status: 503, body: '' }, 'it is empty'],
    ['the page of a portal', { status: 200, body: '<!DOCTYPE html><h1>Sign in</h1>' }, 'Sign in</h1>"'],
  ])('is quoted, with its status, the service and the region: %s', async (_name, answer, quote) => {
    for (const [service, ask] of Object.entries({ Firehose: ofFirehose, STS: ofSts, SQS: ofSqs })) {
      const message = await ask(answer)
      expect(message).toContain(quote)
      expect(message).toMatch(new RegExp(`HTTP ${answer.status}`))
      expect(message).toContain(`${service} in eu-west-1`)
      // SQS is never sent one.
      if (service !== 'SQS') expect(message).not.toContain(EXTERNAL_ID)
      expect(message).not.toMatch(/[\r\n]/)
      expect(message.length).toBeLessThan(1_200)
    }
  })

  it('is cut, after what is secret was struck out', async () => {
    const body = `${'x'.repeat(110)}${EXTERNAL_ID} and ${'y'.repeat(1_000_000)}`
    const message = await ofFirehose({ status: 403, body })
    expect(message).toContain(`${'x'.repeat(110)}(external`)
    expect(message).not.toContain('src_')
    expect(message).not.toContain('yyy')
  })

  it('is not quoted where it has credentials', async () => {
    const body = '<X><AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>assumed-secret</SecretAccessKey></X>'
    const message = await ofSts({ status: 200, body, headers: { 'content-type': 'text/xml' } })
    expect(message).toContain('HTTP 200: it holds credentials')
    expect(message).not.toContain('assumed-secret')
  })
})

describe("what Firehose says has the status, AWS's code and its own fix", () => {
  it.each<[Said, RegExp]>([
    [
      json('ResourceNotFoundException', 'Firehose all under account 1 not found.'),
      /^park: Firehose all under account 1 not found\. \(Firehose in eu-west-1, HTTP 400 ResourceNotFoundException\); check the stream's name and its region: there is none of that name in eu-west-1$/,
    ],
    [
      json('AccessDeniedException', 'User: x is not authorized to perform: firehose:PutRecordBatch'),
      /HTTP 400 AccessDeniedException\); add to the policy of these AWS credentials: \{"Effect":"Allow","Action":\["firehose:PutRecord","firehose:PutRecordBatch"\],"Resource":\["arn:aws:firehose:eu-west-1:\*:deliverystream\/all"\]\}$/,
    ],
    [
      json('AccessDeniedException', 'not authorized … with an explicit deny in a service control policy'),
      /; the service control policy refuses it: change that one$/,
    ],
    [
      json(
        'AccessDeniedException',
        'User: x is not authorized to perform: kms:GenerateDataKey on resource: y',
      ),
      new RegExp(
        `^park: .*; whoever writes has to be allowed to use the key: .*"Action":\\["kms:GenerateDataKey","kms:Decrypt"\\],"Resource":\\["${KEY}"\\]`,
      ),
    ],
    [
      json(
        'InvalidKMSResourceException',
        'The grant … or caller might not have sufficient permissions for the CMK.',
      ),
      /kms:GenerateDataKey/,
    ],
    [json('KMSDisabledException', 'is disabled'), /; see that the KMS key exists, is enabled/],
    [
      json('InvalidSignatureException', "Credential should be scoped to a valid region, not 'eu-west-1'."),
      /^park: .*; the request was signed for eu-west-1, and the endpoint is one of another region: make the region and endpoint agree$/,
    ],
    [
      json(
        'InvalidSignatureException',
        'Signature expired: 20260101T000000Z is now earlier than 20260101T001000Z',
      ),
      /; this machine's clock is wrong/,
    ],
    [
      json('InvalidSignatureException', 'The request signature we calculated does not match'),
      /; the secret access key does not belong to the access key ID: .*line break at the end$/,
    ],
    [
      json('ExpiredTokenException', 'The security token included in the request is expired'),
      /^retry: .*; this process's own AWS credentials have expired: sign in anew/,
    ],
    [
      json('UnrecognizedClientException', 'The security token included in the request is invalid.'),
      /; AWS does not know the access key: .*AWS_SESSION_TOKEN/,
    ],
    [json('ServiceUnavailableException', 'Slow down.', 500), /; raise the stream's quota, or send less$/],
    [json('KMSThrottlingException', 'Rate exceeded'), /^retry: .*raise the stream's quota/],
    [json('OptInRequired', 'The account needs a subscription'), /; switch eu-west-1 on in the account/],
    [
      { status: 407, body: 'Proxy Authentication Required' },
      /^park: .*; give the proxy's user name and password in its URL/,
    ],
  ])('%j', async (answer, message) => {
    expect(await ofFirehose(answer)).toMatch(message)
  })

  it('of records inside an answer that is good', async () => {
    const pool = createClientPool()
    cleanUps.push(() => pool.close())
    const entry = { ErrorCode: 'ServiceUnavailableException', ErrorMessage: 'Slow down.' }
    said = { status: 200, body: JSON.stringify({ FailedPutCount: 1, RequestResponses: [entry] }) }
    const settled = configuration()
    const put = createLazyPut({ ...settled, client: () => pool.get(settled), clock: systemClock })
    expect(await put('PutRecordBatch', 'all', [Buffer.from('{}')])).toEqual({
      answers: [
        {
          errorCode: 'ServiceUnavailableException',
          errorMessage:
            "Slow down. (Firehose in eu-west-1, HTTP 200 ServiceUnavailableException); raise the stream's quota, or send less",
        },
      ],
    })
  })

  it('of an answer that speaks of too few records', async () => {
    const body = JSON.stringify({ FailedPutCount: 0, RequestResponses: [] })
    expect(await ofFirehose({ status: 200, body })).toContain(
      `The answer tells of 0 records, 1 were sent (HTTP 200: ${JSON.stringify(body)})`,
    )
  })
})

describe('what STS says has its own fix', () => {
  it.each<[Said, RegExp]>([
    [
      xml('AccessDenied', 'User: x is not authorized to perform: sts:AssumeRole on resource: y'),
      /^park: Cannot assume .* \(STS in eu-west-1, HTTP 403 AccessDenied\); check that the role exists, that its trust policy names/,
    ],
    [
      xml('AccessDenied', 'User: x is not authorized to perform: sts:TagSession on resource: y'),
      /; its trust policy has to allow sts:TagSession/,
    ],
    [
      xml('ExpiredToken', 'The security token included in the request is expired'),
      /; this process's own AWS credentials have expired: sign in anew/,
    ],
    [
      xml(
        'ValidationError',
        'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
        400,
      ),
      /; lower assumeRole\.durationSeconds, or raise the role's MaxSessionDuration/,
    ],
    [xml('PackedPolicyTooLarge', 'too large', 400), /; give fewer or shorter tags in assumeRole/],
    [xml('RegionDisabledException', 'STS is not activated in this region'), /; switch eu-west-1 on/],
    [
      xml('Throttling', 'Rate exceeded', 400),
      /^retry: .*; AWS asks for fewer calls; it will be tried again$/,
    ],
    [
      xml('InvalidIdentityToken', "Couldn't retrieve verification key from your identity provider", 400),
      /^retry: .*; it will be tried again$/,
    ],
    [xml('IDPCommunicationError', 'no connection', 400), /^retry: /],
  ])('%j', async (answer, message) => {
    expect(await ofSts(answer)).toMatch(message)
  })
})

describe('what SQS says has its own fix', () => {
  it.each<[Said, RegExp]>([
    [
      json('QueueDoesNotExist', 'The specified queue does not exist.'),
      /HTTP 400 QueueDoesNotExist\)\)\. Make the queue, or give \{ queueUrl, region \}, and allow sqs:SendMessage/,
    ],
    [json('AccessDeniedException', 'no identity-based policy allows it', 403), /\. Allow sqs:SendMessage, /],
    [json('KmsAccessDenied', 'The ciphertext refers to a customer master key'), /kms:GenerateDataKey/],
    [
      json('InvalidSignatureException', 'Credential should be scoped to a valid region.', 403),
      /\. The request was signed for eu-west-1, .* the queue's URL agree$/,
    ],
    [json('KmsThrottled', 'Rate exceeded'), /^Rate exceeded \(SQS in eu-west-1, HTTP 400 KmsThrottled\)$/],
  ])('%j', async (answer, message) => {
    expect(await ofSqs(answer)).toMatch(message)
  })
})
