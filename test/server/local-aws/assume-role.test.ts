import { ListDeliveryStreamsCommand } from '@aws-sdk/client-firehose'
import { AssumeRoleCommand, type AssumeRoleCommandInput, GetCallerIdentityCommand } from '@aws-sdk/client-sts'
import { afterEach, describe, expect, test } from '@jest/globals'
import type { LocalAwsRole, PolicyDocument, PolicyStatement } from '../../../server/local-aws/index.js'
import { ACCOUNT, ANYONE, ROLE, raw, start, stopAll } from './harness.js'

afterEach(stopAll)

/** As Segment's documentation has it, with the account of the caller. */
function trust(externalId: string | string[], principal = `arn:aws:iam::${ACCOUNT}:root`): PolicyDocument {
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { AWS: principal },
        Action: 'sts:AssumeRole',
        Condition: { StringEquals: { 'sts:ExternalId': externalId } },
      },
    ],
  }
}

const roleFor = (externalId: string | string[], principal?: string): LocalAwsRole => ({
  arn: ROLE,
  trustPolicy: trust(externalId, principal),
})

describe('AssumeRole', () => {
  test('issues credentials that are of the role, and say when they end', async () => {
    const now = Math.floor(Date.now() / 1000) * 1000
    const { sts } = await start({ now: () => now })
    const { Credentials: given, AssumedRoleUser: user } = await sts().send(
      new AssumeRoleCommand({
        RoleArn: ROLE,
        RoleSessionName: 'web',
        ExternalId: 'x1',
        DurationSeconds: 900,
      }),
    )
    expect(given?.AccessKeyId).toMatch(/^ASIA[A-Z2-7]{16}$/)
    expect(given?.SecretAccessKey).toHaveLength(40)
    expect(given?.Expiration).toEqual(new Date(now + 900_000))
    expect(user?.Arn).toBe(`arn:aws:sts::${ACCOUNT}:assumed-role/segment-firehose/web`)
    expect(user?.AssumedRoleId).toMatch(/^AROA[0-9A-F]{17}:web$/)
    const credentials = {
      accessKeyId: given?.AccessKeyId ?? '',
      secretAccessKey: given?.SecretAccessKey ?? '',
      sessionToken: given?.SessionToken ?? '',
    }
    const identity = await sts(credentials).send(new GetCallerIdentityCommand({}))
    expect(identity).toMatchObject({ Account: ACCOUNT, Arn: user?.Arn, UserId: user?.AssumedRoleId })
  })

  test('gives an hour unless asked otherwise, or what the option says', async () => {
    const now = Math.floor(Date.now() / 1000) * 1000
    const assume = new AssumeRoleCommand({ RoleArn: ROLE, RoleSessionName: 'web' })
    const hour = await (await start({ now: () => now })).sts().send(assume)
    expect(hour.Credentials?.Expiration).toEqual(new Date(now + 3_600_000))
    const short = await (await start({ now: () => now, credentialLifetimeMs: 5_000 })).sts().send(assume)
    expect(short.Credentials?.Expiration).toEqual(new Date(now + 5_000))
  })

  test('wants the external ID of the trust policy', async () => {
    const { assumeRole, calls } = await start({ roles: [roleFor(['source-1', 'source-2'])] })
    await assumeRole({ ExternalId: 'source-2' })
    const denied = {
      name: 'AccessDenied',
      message: `User: arn:aws:iam::${ACCOUNT}:user/local is not authorized to perform: sts:AssumeRole on resource: ${ROLE}`,
      $metadata: { httpStatusCode: 403 },
    }
    await expect(assumeRole({ ExternalId: 'source-3' })).rejects.toMatchObject(denied)
    await expect(assumeRole()).rejects.toMatchObject(denied)
    expect(calls).toMatchObject([
      { action: 'AssumeRole', roleArn: ROLE, externalId: 'source-2', status: 200 },
      { action: 'AssumeRole', externalId: 'source-3', status: 403, errorCode: 'AccessDenied' },
      { action: 'AssumeRole', status: 403 },
    ])
  })

  test('refuses a role that does not exist in the words for one that is not allowed', async () => {
    const { assumeRole } = await start({ roles: [roleFor('id')] })
    const RoleArn = `${ROLE}-2`
    await expect(assumeRole({ RoleArn, ExternalId: 'id' })).rejects.toMatchObject({
      name: 'AccessDenied',
      message: expect.stringContaining(`sts:AssumeRole on resource: ${RoleArn}`),
    })
  })

  test('lets in whom the trust policy names', async () => {
    const other = `arn:aws:iam::595280932656:root`
    await expect(
      (await start({ roles: [roleFor('id', other)] })).assumeRole({ ExternalId: 'id' }),
    ).rejects.toThrow('not authorized')
    const accessKey = { ...ANYONE, userArn: 'arn:aws:iam::595280932656:user/segment' }
    for (const principal of [other, '595280932656', accessKey.userArn, '*']) {
      const { assumeRole } = await start({ roles: [roleFor('id', principal)], accessKeys: [accessKey] })
      await assumeRole({ ExternalId: 'id' })
    }
  })

  test("asks a user's own policy too, unless the role names the user within one account", async () => {
    const nothing: PolicyDocument = { Statement: [] }
    const keys = [{ ...ANYONE, policy: nothing }]
    const user = `arn:aws:iam::${ACCOUNT}:user/${ANYONE.accessKeyId}`
    const byAccount = await start({ roles: [roleFor('id')], accessKeys: keys })
    await expect(byAccount.assumeRole({ ExternalId: 'id' })).rejects.toThrow('not authorized')
    const byName = await start({ roles: [roleFor('id', user)], accessKeys: keys })
    await byName.assumeRole({ ExternalId: 'id' })
  })

  test('chains roles, for an hour at most', async () => {
    const { assumeRole } = await start()
    const first = await assumeRole({ DurationSeconds: 43_200 })
    await assumeRole({ RoleArn: `${ROLE}-2`, DurationSeconds: 3_600 }, first)
    await expect(assumeRole({ RoleArn: `${ROLE}-2`, DurationSeconds: 3_601 }, first)).rejects.toMatchObject({
      name: 'ValidationError',
      message:
        'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.',
    })
  })

  test.each([
    ['an external ID of one character', { ExternalId: 'x' }, "at 'externalId'"],
    ['an external ID with a blank', { ExternalId: 'a b' }, 'pattern: [\\w+=,.@:\\/-]*'],
    ['an external ID of 1,225 characters', { ExternalId: 'x'.repeat(1_225) }, 'less than or equal to 1224'],
    [
      'a session name with markup',
      { RoleSessionName: '<a>&"\u0001' },
      `Value '<a>&"\uFFFD' at 'roleSessionName'`,
    ],
    ['a session name of 65 characters', { RoleSessionName: 'x'.repeat(65) }, 'less than or equal to 64'],
    ['899 seconds', { DurationSeconds: 899 }, 'greater than or equal to 900'],
    ['43,201 seconds', { DurationSeconds: 43_201 }, 'less than or equal to 43200'],
    ['a short ARN', { RoleArn: 'arn:aws:iam' }, "at 'roleArn' failed to satisfy constraint"],
    ['an ARN that is not a role', { RoleArn: 'arn:aws:iam::123456789012:user/x' }, 'user/x is invalid'],
  ])('refuses %s', async (_, input, message) => {
    const { assumeRole } = await start()
    await expect(assumeRole(input)).rejects.toMatchObject({
      name: 'ValidationError',
      message: expect.stringContaining(message),
      $metadata: { httpStatusCode: 400 },
    })
  })

  const tag = (Key: string, Value = 'x') => ({ Key, Value })

  test.each<[string, Partial<AssumeRoleCommandInput>, string]>([
    [
      'tag keys that differ in case only',
      { Tags: [tag('Test'), tag('test')] },
      'Duplicate tag keys found. Please note that Tag keys are case insensitive.',
    ],
    [
      'a transitive key without its tag',
      { Tags: [tag('a')], TransitiveTagKeys: ['b'] },
      'The specified transitive tag key must be included in the requested tags.',
    ],
  ])('refuses %s', async (_, input, message) => {
    const { assumeRole } = await start()
    await expect(assumeRole(input)).rejects.toMatchObject({ name: 'InvalidParameterValue', message })
  })

  test.each<[string, Partial<AssumeRoleCommandInput>, string]>([
    ['a tag key of 129 characters', { Tags: [tag('x'.repeat(129))] }, "at 'tags.1.member.key'"],
    ['a tag value with markup', { Tags: [tag('a'), tag('b', '<')] }, "Value '<' at 'tags.2.member.value'"],
    [
      '51 tags',
      { Tags: Array.from({ length: 51 }, (_, index) => tag(`k${index}`)) },
      'Member must have length less than or equal to 50',
    ],
    ['a source identity of one character', { SourceIdentity: 'x' }, "at 'sourceIdentity'"],
  ])('refuses %s as invalid', async (_, input, message) => {
    const { assumeRole } = await start()
    await expect(assumeRole(input)).rejects.toMatchObject({
      name: 'ValidationError',
      message: expect.stringContaining(message),
    })
  })

  test('hands transitive tags on to sessions of the session, which cannot set them anew', async () => {
    const { assumeRole } = await start()
    const first = await assumeRole({ Tags: [tag('team'), tag('own')], TransitiveTagKeys: ['team'] })
    const second = await assumeRole({ RoleArn: `${ROLE}-2`, Tags: [tag('own')] }, first)
    const conflict = {
      name: 'InvalidParameterValue',
      message:
        "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.",
    }
    for (const session of [first, second])
      await expect(assumeRole({ Tags: [tag('TEAM')] }, session)).rejects.toMatchObject(conflict)
  })

  test('asks the trust policy for tags and source identity each by their own action', async () => {
    const allowing = (...actions: string[]): LocalAwsRole => ({
      arn: ROLE,
      trustPolicy: { Statement: { Effect: 'Allow', Principal: { AWS: '*' }, Action: actions } },
    })
    const tagged = { Tags: [tag('team')] }
    const { assumeRole, aws } = await start({ roles: [allowing('sts:AssumeRole')] })
    await assumeRole()
    const denied = (action: string) => ({
      name: 'AccessDenied',
      message: expect.stringContaining(`is not authorized to perform: ${action} on resource: ${ROLE}`),
    })
    await expect(assumeRole(tagged)).rejects.toMatchObject(denied('sts:TagSession'))
    await expect(assumeRole({ SourceIdentity: 'web' })).rejects.toMatchObject(denied('sts:SetSourceIdentity'))
    aws.setRoles([allowing('sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity')])
    await assumeRole({ ...tagged, SourceIdentity: 'web' })
  })

  test('lets policies ask for the tags of a request and of a session', async () => {
    const statement = (Action: string, Condition: PolicyStatement['Condition'] = {}): PolicyStatement => ({
      Effect: 'Allow',
      Principal: { AWS: '*' },
      Action,
      Condition,
    })
    const Statement = [
      statement('sts:AssumeRole'),
      statement('sts:TagSession', { StringEquals: { 'aws:RequestTag/team': 'data' } }),
    ]
    const role: LocalAwsRole = {
      arn: ROLE,
      trustPolicy: { Statement },
      permissionPolicy: {
        Statement: {
          Effect: 'Allow',
          Action: 'firehose:*',
          Resource: '*',
          Condition: { StringEquals: { 'aws:PrincipalTag/team': 'data' } },
        },
      },
    }
    const { assumeRole, firehose } = await start({ roles: [role] })
    await expect(assumeRole({ Tags: [tag('team', 'web')] })).rejects.toThrow('sts:TagSession')
    const list = new ListDeliveryStreamsCommand({})
    await expect(firehose(await assumeRole()).send(list)).rejects.toThrow('not authorized')
    await firehose(await assumeRole({ Tags: [tag('Team', 'data')] })).send(list)
  })

  test('gives the source identity back, and keeps it along a chain of roles', async () => {
    const { sts, assumeRole } = await start()
    const first = await assumeRole({ SourceIdentity: 'web' })
    const chained = new AssumeRoleCommand({ RoleArn: `${ROLE}-2`, RoleSessionName: 'test' })
    expect(await sts(first).send(chained)).toMatchObject({ SourceIdentity: 'web' })
  })

  test('takes the longest external ID that AWS does', async () => {
    const { assumeRole, calls } = await start()
    const ExternalId = 'aZ0_+=,.@:/-'.repeat(102)
    await assumeRole({ ExternalId })
    expect(calls[0]?.externalId).toBe(ExternalId)
  })

  test('refuses a session policy that is none', async () => {
    const { assumeRole } = await start()
    await expect(assumeRole({ Policy: '{' })).rejects.toMatchObject({
      name: 'MalformedPolicyDocumentException',
    })
    await expect(assumeRole({ Policy: '{"Statement":[{}]}' })).rejects.toMatchObject({
      name: 'MalformedPolicyDocumentException',
    })
  })
})

describe('GetCallerIdentity', () => {
  test.each([
    ['us-west-2', 'aws'],
    ['cn-north-1', 'aws-cn'],
    ['us-gov-west-1', 'aws-us-gov'],
    ['us-isob-east-1', 'aws-iso-b'],
    ['eusc-de-east-1', 'aws-eusc'],
  ])('names the partition of %s, also of a key without an ARN', async (region, partition) => {
    const identity = new GetCallerIdentityCommand({})
    const { sts } = await start()
    expect(await sts(ANYONE, region).send(identity)).toMatchObject({
      Arn: `arn:${partition}:iam::${ACCOUNT}:user/local`,
    })
    const { sts: known } = await start({ accessKeys: [ANYONE] })
    expect(await known(ANYONE, region).send(identity)).toMatchObject({
      Arn: `arn:${partition}:iam::${ACCOUNT}:user/${ANYONE.accessKeyId}`,
    })
  })
})

describe('the query protocol', () => {
  test('is understood in a GET too', async () => {
    const { aws } = await start()
    const url = new URL(aws.endpoint)
    url.search = 'Action=GetCallerIdentity&Version=2011-06-15'
    const { status, text } = await raw({ ...aws, endpoint: url.href }, { service: 'sts', method: 'GET' })
    expect(status).toBe(200)
    expect(text).toContain('<Account>123456789012</Account>')
  })

  test('names an operation that is not there', async () => {
    const { aws, calls } = await start()
    const body = new URLSearchParams({ Action: 'Get<Session>Token', Version: '2011-06-15' })
    const { status, text, headers } = await raw(aws, { service: 'sts', body })
    expect(status).toBe(400)
    expect(headers.get('content-type')).toBe('text/xml')
    expect(text).toContain('<Code>InvalidAction</Code>')
    expect(text).toContain('Could not find operation Get&lt;Session&gt;Token for version 2011-06-15')
    expect(text).toContain(`<RequestId>${headers.get('x-amzn-requestid')}</RequestId>`)
    expect(calls).toMatchObject([{ action: 'Unknown', errorCode: 'InvalidAction' }])
  })
})
