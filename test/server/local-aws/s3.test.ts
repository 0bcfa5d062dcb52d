import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  CreateBucketCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  S3Client,
} from '@aws-sdk/client-s3'
import { afterEach, describe, expect, test } from '@jest/globals'
import type { LocalAwsOptions, LocalAwsRole, PolicyStatement } from '../../../server/local-aws/index.js'
import { ACCOUNT, ANYONE, filesOf, REGION, ROLE, start as startAll, stopAll } from './harness.js'

const clients: S3Client[] = []

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy()
  await stopAll()
})

async function start(options: LocalAwsOptions = {}) {
  const harness = await startAll(options)
  const s3 = (credentials: typeof ANYONE = ANYONE, region = REGION) => {
    const { endpoint } = harness.aws
    const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true, maxAttempts: 1 })
    clients.push(client)
    return client
  }
  return { ...harness, s3 }
}

const put = (Key: string, input: Partial<PutObjectCommandInput> = {}) =>
  new PutObjectCommand({ Bucket: 'letters', Key, Body: 'x\n', ...input })

describe('PutObject', () => {
  test('keeps an object as a file, which the next one of the key replaces', async () => {
    const { aws, s3, calls } = await start({ buckets: ['letters'] })
    const client = s3()
    // The digest of 'x\n' as AWS computes it.
    expect(await client.send(put('2026/01/02/a.ndjson'))).toMatchObject({
      ETag: '"401b30e3b8b5d629635a5c613cdb7919"',
    })
    await client.send(put('2026/01/02/a.ndjson', { Body: 'second\n' }))
    const file = join(aws.dir, '@s3/letters/2026/01/02/a.ndjson')
    expect(await readFile(file, 'utf8')).toBe('second\n')
    expect(calls).toMatchObject([{ action: 'PutObject', bucket: 'letters', status: 200 }, {}])
  })

  test.each([
    ['../../../escape', '%2E.', '%2E.', '%2E.', 'escape'],
    ['/a//b', '%', 'a', '%', 'b'],
    ["a b/ü+(1)!'*", 'a%20b', "%C3%BC%2B(1)!'%2A"],
    ['.hidden/100%', '%2Ehidden', '100%25'],
    ['nul\u0000', 'nul%00'],
  ])('keeps an object of the key %j in the folder of its bucket', async (key, ...names) => {
    const { aws, s3 } = await start()
    await s3().send(put(key))
    expect(await filesOf(join(aws.dir, '@s3'))).toEqual([join('letters', ...names)])
  })

  test.each<[string, PutObjectCommand, string, number]>([
    ['a bucket that is not there', put('a', { Bucket: 'other' }), 'NoSuchBucket', 404],
    ['a key of 1,025 bytes', put('x'.repeat(1_025)), 'KeyTooLongError', 400],
    ['a wrong checksum', put('a', { ChecksumCRC32: 'AAAAAA==' }), 'BadDigest', 400],
    ['a checksum that is none', put('a', { ChecksumCRC32: 'AAAA' }), 'InvalidRequest', 400],
    ['a wrong digest', put('a', { ContentMD5: 'AAAAAAAAAAAAAAAAAAAAAA==' }), 'BadDigest', 400],
    ['a key below another one', put('file/below'), 'NotImplemented', 501],
  ])('refuses %s', async (_, command, name, httpStatusCode) => {
    const { aws, s3 } = await start({ roles: [], buckets: ['letters'] })
    await s3().send(put('file'))
    await expect(s3().send(command)).rejects.toMatchObject({ name, $metadata: { httpStatusCode } })
    expect(await filesOf(join(aws.dir, '@s3'))).toEqual(['letters/file'])
  })

  test('needs the permission of the role for the object', async () => {
    const statement: PolicyStatement = {
      Effect: 'Allow',
      Action: 's3:PutObject',
      Resource: 'arn:aws:s3:::letters/dead/*',
    }
    const role: LocalAwsRole = {
      arn: ROLE,
      trustPolicy: { Statement: { Effect: 'Allow', Principal: { AWS: '*' }, Action: 'sts:AssumeRole' } },
      permissionPolicy: { Statement: statement },
    }
    const { aws, s3, assumeRole } = await start({ roles: [role], buckets: ['letters'] })
    const credentials = await assumeRole()
    await s3(credentials).send(put('dead/a'))
    await expect(s3(credentials).send(put('other/a'))).rejects.toMatchObject({
      name: 'AccessDenied',
      message: `User: arn:aws:sts::${ACCOUNT}:assumed-role/segment-firehose/test is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::letters/other/a" because no identity-based policy allows the s3:PutObject action`,
      $metadata: { httpStatusCode: 403 },
    })
    const wrong = { ...credentials, secretAccessKey: 'wrong' }
    await expect(s3(wrong).send(put('dead/a'))).rejects.toMatchObject({ name: 'SignatureDoesNotMatch' })
    aws.expireCredentials()
    await expect(s3(credentials).send(put('dead/a'))).rejects.toMatchObject({ name: 'ExpiredToken' })
  })

  test('fails on demand', async () => {
    const { aws, s3 } = await start()
    const stop = aws.addFault({ kind: 'throttle', action: 'PutObject', bucket: 'letters' })
    await expect(s3().send(put('a'))).rejects.toMatchObject({ name: 'SlowDown' })
    stop()
    await s3().send(put('a'))
  })
})

describe('a bucket', () => {
  test('is made once, and is of the region that made it', async () => {
    const { s3 } = await start({ roles: [] })
    const create = new CreateBucketCommand({ Bucket: 'letters' })
    await s3().send(create)
    await expect(s3().send(create)).rejects.toMatchObject({ name: 'BucketAlreadyOwnedByYou' })
    await s3().send(put('a'))
    await expect(s3(undefined, 'eu-west-1').send(put('a'))).rejects.toMatchObject({
      name: 'AuthorizationHeaderMalformed',
      message:
        "The authorization header is malformed; the region 'eu-west-1' is wrong; expecting 'us-west-2'",
    })
  })

  test('that its owner makes takes calls of any region', async () => {
    const { aws, s3 } = await start({ roles: [] })
    aws.createBucket('letters')
    for (const region of ['us-west-2', 'eu-west-1']) await s3(undefined, region).send(put(region))
    expect(() => aws.createBucket('letters')).toThrow('you already own it')
    expect(() => aws.createBucket('Letters')).toThrow('the name of a bucket')
  })

  test('has a name that can be one', async () => {
    const { s3 } = await start()
    for (const Bucket of ['ab', 'a..b', '192.168.0.1'])
      await expect(s3().send(new CreateBucketCommand({ Bucket }))).rejects.toThrow()
  })
})
