import { inspect } from 'node:util'
import { STSClient } from '@aws-sdk/client-sts'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { assumeRole } from '../../../plugin/aws/assume-role.js'
import { FirehoseError } from '../../../plugin/errors.js'
import { type FakeSts, granted, refused, type StsAnswer, startFakeSts } from './fake-sts.js'

const role = 'arn:aws:iam::123456789012:role/segment-firehose'
/** STS tells its time in full seconds. */
const TOLERANCE_MS = 10_000
const externalId = 'src_Hush+1=,.@:/-'

let server: FakeSts
let sts: STSClient
let credentialsRead: number

beforeAll(async () => {
  server = await startFakeSts()
})
afterAll(() => server.close())

beforeEach(() => {
  server.requests.length = 0
  server.willAnswer(granted())
  credentialsRead = 0
  const credentials = async () => {
    credentialsRead++
    return { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'base-secret' }
  }
  sts = new STSClient({ region: 'us-west-2', endpoint: server.endpoint, maxAttempts: 1, credentials })
})
afterEach(() => sts.destroy())

describe('a role that is granted', () => {
  it('gives credentials and their lifetime', async () => {
    const { identity, lifetimeMs } = await assumeRole(sts, role, externalId)
    expect(identity).toEqual({
      accessKeyId: 'ASIAEXAMPLE',
      secretAccessKey: 'assumed-secret',
      sessionToken: 'assumed-token',
    })
    expect(Math.abs(Date.UTC(2030, 0, 1) - Date.now() - Number(lifetimeMs))).toBeLessThan(TOLERANCE_MS)
  })

  it('was asked for with the external ID, for an hour', async () => {
    await assumeRole(sts, role, externalId)
    expect(Object.fromEntries(server.requests[0] ?? [])).toMatchObject({
      Action: 'AssumeRole',
      RoleArn: role,
      ExternalId: externalId,
      DurationSeconds: '3600',
    })
  })

  it('was asked for with what the settings say of the session', async () => {
    const session = {
      sessionName: 'web@example.com',
      sourceIdentity: 'events',
      tags: { team: 'web', stage: '' },
      transitiveTags: ['team'],
      durationSeconds: 900,
    }
    await assumeRole(sts, role, externalId, { session })
    expect(Object.fromEntries(server.requests[0] ?? [])).toMatchObject({
      RoleSessionName: 'web@example.com',
      SourceIdentity: 'events',
      'Tags.member.1.Key': 'team',
      'Tags.member.1.Value': 'web',
      'Tags.member.2.Key': 'stage',
      'Tags.member.2.Value': '',
      'TransitiveTagKeys.member.1': 'team',
      DurationSeconds: '900',
      ExternalId: externalId,
    })
  })

  it('was asked for without an external ID where there is none', async () => {
    await assumeRole(sts, role, undefined)
    expect(server.requests[0]?.has('ExternalId')).toBe(false)
    expect(server.requests[0]?.get('RoleSessionName')).toBe('analytics-firehose')
  })

  it('has a session name that tells sources apart, and does not tell the external ID', async () => {
    for (const id of [externalId, 'src_other', externalId]) await assumeRole(sts, role, id)
    const names = server.requests.map((form) => form.get('RoleSessionName'))
    expect(names[0]).toBe(names[2])
    expect(names[0]).not.toBe(names[1])
    for (const name of names) {
      expect(name).toMatch(/^[\w+=,.@-]{2,64}$/)
      expect(name).not.toContain('src_')
    }
  })

  it("tells how long they are good, though STS's clock differs from this machine's", async () => {
    const oneHour = 3_600_000
    const ahead = new Date(Date.now() + oneHour)
    server.willAnswer(() => ({ ...granted()(), headers: { date: ahead.toUTCString() } }))
    const { lifetimeMs } = await assumeRole(sts, role, externalId)
    expect(Math.abs(Date.UTC(2030, 0, 1) - ahead.getTime() - Number(lifetimeMs))).toBeLessThan(TOLERANCE_MS)
  })
})

describe('base credentials that ended', () => {
  const expired = refused(403, 'ExpiredToken', 'The security token included in the request is expired')

  it('are read again, once, and the role is asked for again', async () => {
    server.willAnswer(expired, granted())
    expect((await assumeRole(sts, role, externalId)).identity.accessKeyId).toBe('ASIAEXAMPLE')
    expect(server.requests).toHaveLength(2)
    expect(credentialsRead).toBe(2)
  })

  it('and are ended still when read again, are a failure', async () => {
    server.willAnswer(expired)
    await expect(assumeRole(sts, role, externalId)).rejects.toMatchObject({ code: 'ERR_ASSUME_ROLE' })
    expect(server.requests).toHaveLength(2)
  })
})

describe('a role that cannot be assumed', () => {
  const echo = (status: number, contentType: string) => (form: URLSearchParams) => ({
    status,
    body: `<html>You sent ${form.get('ExternalId')} as ${form}`,
    headers: { 'content-type': contentType },
  })
  const empty = '<AssumeRoleResponse><AssumeRoleResult></AssumeRoleResult></AssumeRoleResponse>'

  it.each<[string, (form: URLSearchParams) => StsAnswer, RegExp]>([
    [
      'refused',
      refused(403, 'AccessDenied', `User is not authorized to perform: sts:AssumeRole on ${role}`),
      /sts:ExternalId/,
    ],
    ['refused, its external ID quoted', refused(403, 'AccessDenied', 'not with ID or ID'), /trust policy/],
    [
      'found invalid, its external ID quoted',
      refused(400, 'ValidationError', "Value 'ID' at 'externalId'"),
      /trust policy/,
    ],
    ['under an error that is named after the external ID', refused(400, externalId, 'ID'), /trust policy/],
    ['throttled', refused(400, 'Throttling', 'Rate exceeded for ID'), /tried again$/],
    ['answered 500', refused(500, 'InternalFailure', 'ID'), /tried again$/],
    [
      'answered without credentials',
      () => ({ status: 200, body: empty }),
      /holds no credentials.*; it will be tried again$/,
    ],
    [
      'answered with half of them',
      () => ({ status: 200, body: granted()().body.replace(/<SessionToken>.*<\/SessionToken>/, '') }),
      /holds no credentials/,
    ],
    ['answered with garbage', echo(200, 'text/html'), /tried again$/],
    ['answered with garbage and 403', echo(403, 'text/html'), /./],
    ['answered with garbage and 500', echo(500, 'application/json'), /./],
    ['answered with nothing', () => ({ status: 200, body: '' }), /./],
  ])('as it is %s, throws ERR_ASSUME_ROLE with the fix and no secret', async (_name, answer, fix) => {
    server.willAnswer(answer)
    const error = await rejection(assumeRole(sts, role, externalId))
    expect(error).toBeInstanceOf(FirehoseError)
    expect(error.code).toBe('ERR_ASSUME_ROLE')
    expect(error.message).toMatch(/^Cannot assume arn:aws:iam::123456789012:role\/segment-firehose: /)
    expect(error.message).toMatch(fix)
    expect(error.message).not.toContain('$response')
    expect(error.cause).toBeInstanceOf(Error)
    expect(error.permanent).toBe(false)
    const everything = inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true, getters: true })
    for (const secret of [externalId, encodeURIComponent(externalId), 'base-secret', 'assumed-secret']) {
      expect(`${everything}${error.stack}`).not.toContain(secret)
    }
  })

  it('as there are no credentials to ask with, tells to give some, and nothing of the role', async () => {
    const none = Object.assign(new Error('Could not load credentials from any providers'), {
      name: 'CredentialsProviderError',
    })
    const without = new STSClient({
      region: 'us-west-2',
      endpoint: server.endpoint,
      maxAttempts: 1,
      credentials: () => Promise.reject(none),
    })
    const { message } = await rejection(assumeRole(without, role, externalId))
    expect(message).toMatch(/any providers \(STS in us-west-2\); give this process AWS credentials/)
    expect(message).not.toContain('trust policy')
    without.destroy()
  })

  it('as nothing listens there, is tried again', async () => {
    const nowhere = await startFakeSts()
    await nowhere.close()
    const lost = new STSClient({
      region: 'us-west-2',
      endpoint: nowhere.endpoint,
      maxAttempts: 1,
      credentials: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'base-secret' },
    })
    const error = await rejection(assumeRole(lost, role, externalId))
    expect(error.message).toMatch(/ECONNREFUSED.*; it will be tried again$/)
    expect(inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true })).not.toContain(externalId)
    lost.destroy()
  })
})

async function rejection(promise: Promise<unknown>): Promise<FirehoseError> {
  try {
    await promise
  } catch (error) {
    return error as FirehoseError
  }
  throw new Error('nothing was thrown')
}
