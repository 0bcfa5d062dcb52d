import { ListDeliveryStreamsCommand, PutRecordBatchCommand, PutRecordCommand } from '@aws-sdk/client-firehose'
import { afterEach, describe, expect, test } from '@jest/globals'
import type { LocalAwsRole, PolicyDocument, PolicyStatement } from '../../../server/local-aws/index.js'
import { ACCOUNT, ANYONE, bytes, ROLE, start, stopAll } from './harness.js'

afterEach(stopAll)

const put = new PutRecordCommand({ DeliveryStreamName: 's', Record: { Data: bytes('x') } })
const putBatch = new PutRecordBatchCommand({ DeliveryStreamName: 's', Records: [{ Data: bytes('x') }] })

const allow = (Action: string | string[], Resource: string | string[] = '*'): PolicyStatement => ({
  Effect: 'Allow',
  Action,
  Resource,
})

function roleWith(...statements: PolicyStatement[]): LocalAwsRole {
  const trustPolicy: PolicyDocument = {
    Statement: { Effect: 'Allow', Principal: '*', Action: 'sts:AssumeRole' },
  }
  return { arn: ROLE, trustPolicy, permissionPolicy: { Version: '2012-10-17', Statement: statements } }
}

async function startWith(...statements: PolicyStatement[]) {
  const harness = await start({ roles: [roleWith(...statements)], streams: ['s'] })
  return { ...harness, client: harness.firehose(await harness.assumeRole()) }
}

describe('a role', () => {
  test("that may only PutRecord is refused PutRecordBatch in AWS's words", async () => {
    const { client, calls } = await startWith(allow('firehose:PutRecord'))
    await client.send(put)
    await expect(client.send(putBatch)).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: `User: arn:aws:sts::${ACCOUNT}:assumed-role/segment-firehose/test is not authorized to perform: firehose:PutRecordBatch on resource: arn:aws:firehose:us-west-2:${ACCOUNT}:deliverystream/s because no identity-based policy allows the firehose:PutRecordBatch action`,
      $metadata: { httpStatusCode: 400 },
    })
    expect(calls.at(-1)).toMatchObject({
      action: 'PutRecordBatch',
      roleArn: ROLE,
      stream: 's',
      status: 400,
      errorCode: 'AccessDeniedException',
    })
  })

  test('is asked before the input is looked at', async () => {
    const { client } = await startWith(allow('firehose:PutRecord'))
    const malformed = new PutRecordBatchCommand({ DeliveryStreamName: 'arn:x', Records: [] })
    await expect(client.send(malformed)).rejects.toMatchObject({ name: 'AccessDeniedException' })
  })

  test.each([
    ['any action, in another case', allow('FIREHOSE:put*')],
    ['the streams of its account', allow('firehose:*', `arn:aws:firehose:*:${ACCOUNT}:deliverystream/?`)],
    ['all but another action', { Effect: 'Allow', NotAction: 'firehose:Delete*', Resource: '*' } as const],
  ])('that may do %s may put', async (_, statement) => {
    const { client } = await startWith(statement)
    await client.send(putBatch)
  })

  test.each([
    ['nothing', []],
    ['puts to other streams', [allow('firehose:*', `arn:aws:firehose:*:${ACCOUNT}:deliverystream/other`)]],
    ['other actions', [allow(['firehose:Describe*', 's3:*'])]],
    [
      'puts from another account',
      [{ ...allow('*'), Condition: { StringEquals: { 'aws:PrincipalAccount': '999999999999' } } }],
    ],
    [
      'what a condition says that is not understood',
      [{ ...allow('*'), Condition: { Bool: { 'aws:X': 'true' } } }],
    ],
  ])('that may do %s may not put', async (_, statements) => {
    const { client } = await startWith(...statements)
    await expect(client.send(put)).rejects.toMatchObject({ name: 'AccessDeniedException' })
  })

  test('obeys a Deny over an Allow', async () => {
    const { client } = await startWith(allow('*'), { ...allow('firehose:PutRecord'), Effect: 'Deny' })
    await client.send(putBatch)
    await expect(client.send(put)).rejects.toThrow('with an explicit deny in an identity-based policy')
  })

  test('may do no more than its session policy', async () => {
    const { firehose, assumeRole } = await start()
    const Policy = JSON.stringify({ Statement: [allow('firehose:PutRecord')] })
    const client = firehose(await assumeRole({ Policy }))
    await client.send(put)
    await expect(client.send(putBatch)).rejects.toThrow(
      'because no session policy allows the firehose:PutRecordBatch action',
    )
  })

  test('can be changed and taken away while its credentials are in use', async () => {
    const { aws, client } = await startWith(allow('*'))
    await client.send(put)
    aws.setRoles([roleWith(allow('firehose:PutRecordBatch'))])
    await expect(client.send(put)).rejects.toMatchObject({ name: 'AccessDeniedException' })
    aws.setRoles([])
    await expect(client.send(putBatch)).rejects.toMatchObject({ name: 'UnrecognizedClientException' })
    aws.setRoles(undefined)
    await client.send(put)
  })
})

test('a user may do what its policy says', async () => {
  const { firehose } = await start({
    accessKeys: [{ ...ANYONE, policy: { Statement: allow('firehose:List*') } }],
  })
  await firehose().send(new ListDeliveryStreamsCommand({}))
  await expect(firehose().send(put)).rejects.toThrow(
    `User: arn:aws:iam::${ACCOUNT}:user/${ANYONE.accessKeyId}`,
  )
})
