import { afterEach, describe, expect, test } from '@jest/globals'
import type { LocalAwsRole } from '../../../server/local-aws/index.js'
import { findAwsCli, requireAwsCliInCi, runAwsCli } from '../../aws-cli.js'
import { ACCOUNT, ANYONE, REGION, ROLE, type SessionCredentials, start, stopAll } from './harness.js'

/** Each run of the CLI takes about a second. */
const TIMEOUT_MS = 60_000

const cli = findAwsCli()

// Not in a beforeAll: jest runs none where every test is skipped.
requireAwsCliInCi(cli)
afterEach(stopAll)

const role: LocalAwsRole = {
  arn: ROLE,
  trustPolicy: {
    Version: '2012-10-17',
    Statement: {
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` },
      Action: 'sts:AssumeRole',
      Condition: { StringEquals: { 'sts:ExternalId': 'source-1' } },
    },
  },
}

async function startWithCli() {
  const harness = await start({ roles: [role] })
  const run = (args: string[], credentials: SessionCredentials = ANYONE) =>
    runAwsCli(cli ?? '', args, { endpoint: harness.aws.endpoint, region: REGION, credentials })
  const assumeRole = (externalId: string) =>
    run(['sts', 'assume-role', '--role-arn', ROLE, '--role-session-name', 'cli', '--external-id', externalId])
  return { ...harness, run, assumeRole }
}

const testWithCli = cli === undefined ? test.skip : test

describe('the AWS CLI v2', () => {
  testWithCli(
    'assumes a role by the right external ID only, and puts with its credentials',
    async () => {
      const { aws, assumeRole, run, read } = await startWithCli()
      aws.createStream('s')
      await expect(assumeRole('source-2')).rejects.toThrow(
        `An error occurred (AccessDenied) when calling the AssumeRole operation: User: arn:aws:iam::${ACCOUNT}:user/local is not authorized to perform: sts:AssumeRole on resource: ${ROLE}`,
      )
      const { Credentials: given } = (await assumeRole('source-1')) as {
        Credentials: { AccessKeyId: string; SecretAccessKey: string; SessionToken: string }
      }
      const credentials = {
        accessKeyId: given.AccessKeyId,
        secretAccessKey: given.SecretAccessKey,
        sessionToken: given.SessionToken,
      }
      expect(await run(['sts', 'get-caller-identity'], credentials)).toMatchObject({
        Arn: `arn:aws:sts::${ACCOUNT}:assumed-role/segment-firehose/cli`,
      })
      // Its signature covers the fewest headers of all clients, and is verified here.
      const put = ['firehose', 'put-record', '--delivery-stream-name', 's', '--record', 'Data=YQo=']
      expect(await run(put, credentials)).toMatchObject({ RecordId: expect.any(String), Encrypted: false })
      await expect(run(put, { ...credentials, secretAccessKey: 'wrong' })).rejects.toThrow(
        'An error occurred (InvalidSignatureException) when calling the PutRecord operation',
      )
      await aws.flush()
      expect((await read('s')).toString()).toBe('a\n')
    },
    TIMEOUT_MS,
  )

  testWithCli(
    'makes, describes, lists, fills and deletes a stream',
    async () => {
      const { aws, run, read } = await startWithCli()
      const stream = ['--delivery-stream-name', 's']
      const destination = 'RoleARN=arn:aws:iam::123456789012:role/to-s3,BucketARN=arn:aws:s3:::events'
      const arn = `arn:aws:firehose:${REGION}:${ACCOUNT}:deliverystream/s`
      expect(
        await run([
          'firehose',
          'create-delivery-stream',
          ...stream,
          '--extended-s3-destination-configuration',
          destination,
        ]),
      ).toEqual({ DeliveryStreamARN: arn })
      expect(await run(['firehose', 'describe-delivery-stream', ...stream])).toMatchObject({
        DeliveryStreamDescription: { DeliveryStreamARN: arn, DeliveryStreamStatus: 'ACTIVE' },
      })
      expect(await run(['firehose', 'list-delivery-streams'])).toEqual({
        DeliveryStreamNames: ['s'],
        HasMoreDeliveryStreams: false,
      })
      // As JSON: of `Data=YQo=` in a list the CLI makes a record of those very characters.
      const records = '[{"Data":"YQo="},{"Data":"Ygo="}]'
      const batch = ['firehose', 'put-record-batch', ...stream, '--records', records]
      expect(await run(batch)).toMatchObject({
        FailedPutCount: 0,
        RequestResponses: [{ RecordId: expect.any(String) }, { RecordId: expect.any(String) }],
      })
      await run(['firehose', 'delete-delivery-stream', ...stream])
      await expect(run(batch)).rejects.toThrow(
        'An error occurred (ResourceNotFoundException) when calling the PutRecordBatch operation: Firehose s under account 123456789012 not found.',
      )
      await aws.flush()
      expect((await read('s')).toString()).toBe('a\nb\n')
    },
    TIMEOUT_MS,
  )
})
