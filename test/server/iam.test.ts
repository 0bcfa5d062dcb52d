import { describe, expect, it } from '@jest/globals'
import { readProxyConfig } from '../../server/config/configuration.js'
import { type IamOptions, rolePolicies } from '../../server/iam.js'

const ROLE = 'arn:aws:iam::123456789012:role/segment-firehose'

/** Policies of sources given by their destinations' settings. */
function policies(destinations: Record<string, object>, options?: IamOptions) {
  const sources = Object.entries(destinations).map(([id, destination]) => ({
    id,
    writeKey: `key of ${id}`,
    destination: { region: 'eu-west-1', roleAddress: ROLE, mappedStreams: { '*': 'all' }, ...destination },
  }))
  const read = readProxyConfig({ sources }, { env: {} })
  if ('problems' in read) throw new Error(read.problems.join('\n'))
  return rolePolicies(read.configuration.sources, options)
}

const externalIds = (destinations: Record<string, object>) =>
  policies(destinations).map(
    ({ trust }) => Object(trust?.Statement[0]).Condition.StringEquals['sts:ExternalId'],
  )

describe('the policies of a role', () => {
  it('are what AWS takes', () => {
    const mappedStreams = { page: ['page_views', 'all'], '*': 'all' }
    expect(policies({ src_web: { mappedStreams } })).toEqual([
      {
        role: ROLE,
        sources: ['sources[0]'],
        permissions: {
          Version: '2012-10-17',
          Statement: [
            {
              Effect: 'Allow',
              Action: ['firehose:PutRecord', 'firehose:PutRecordBatch'],
              Resource: [
                'arn:aws:firehose:eu-west-1:123456789012:deliverystream/all',
                'arn:aws:firehose:eu-west-1:123456789012:deliverystream/page_views',
              ],
            },
          ],
        },
        trust: {
          Version: '2012-10-17',
          Statement: [
            {
              Effect: 'Allow',
              Principal: { AWS: 'arn:aws:iam::123456789012:root' },
              Action: 'sts:AssumeRole',
              Condition: { StringEquals: { 'sts:ExternalId': 'src_web' } },
            },
          ],
        },
      },
    ])
  })

  it.each([
    ['one source: a string', { src_b: {} }, 'src_b'],
    ['several: a sorted list', { src_b: {}, src_a: {} }, ['src_a', 'src_b']],
    [
      'a secret ID in their place',
      { src_b: { secretId: 'shared' }, src_a: { secretId: 'shared' } },
      'shared',
    ],
    ['both, where sources differ', { src_b: { secretId: 'shared' }, src_a: {} }, ['shared', 'src_a']],
    ['a source ID of the destination', { src_b: { sourceId: 'other' } }, 'other'],
  ])('name external IDs: %s', (_name, destinations, ids) => {
    expect(externalIds(destinations)).toEqual([ids])
  })

  it('are for the streams of its own sources, in their regions', () => {
    const other = 'arn:aws:iam::999999999999:role/other'
    const given = policies({
      src_a: { mappedStreams: { page: 'a' } },
      src_b: { mappedStreams: { page: 'b' }, region: 'us-east-1' },
      src_c: { mappedStreams: { page: 'c' }, roleAddress: other },
    })
    const resources = given.map(({ permissions }) => Object(permissions?.Statement[0]).Resource)
    expect(given.map(({ role }) => role)).toEqual([ROLE, other])
    expect(resources).toEqual([
      [
        'arn:aws:firehose:eu-west-1:123456789012:deliverystream/a',
        'arn:aws:firehose:us-east-1:123456789012:deliverystream/b',
      ],
      ['arn:aws:firehose:eu-west-1:999999999999:deliverystream/c'],
    ])
    expect(externalIds({ src_a: {}, src_c: { roleAddress: other } })).toEqual(['src_a', 'src_c'])
  })

  it('are of the partition that the role is of', () => {
    const roleAddress = 'arn:aws-cn:iam::123456789012:role/x'
    const [given] = policies({ src_a: { roleAddress, region: 'cn-north-1' } })
    expect(JSON.stringify(given)).toContain('arn:aws-cn:firehose:cn-north-1:123456789012:deliverystream/all')
    expect(JSON.stringify(given)).toContain('arn:aws-cn:iam::123456789012:root')
  })

  it('trust the principal that is named', () => {
    const principal = 'arn:aws:iam::111122223333:role/proxy'
    expect(policies({ src_a: {} }, { principal })[0]?.trust?.Statement[0]).toMatchObject({
      Principal: { AWS: principal },
    })
  })
})

describe('customer-managed keys', () => {
  const KEY = 'arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab'
  const OTHER = 'arn:aws:kms:eu-west-1:123456789012:key/mrk-1234'

  it('may be used by whoever writes to their streams', () => {
    const mappedStreams = [
      { event: 'page', stream: ['pages', 'all'], kmsKey: KEY },
      { event: '*', stream: 'plain' },
    ]
    const [given] = policies({ src_web: { mappedStreams } })
    expect(given?.permissions?.Statement).toEqual([
      expect.objectContaining({ Action: ['firehose:PutRecord', 'firehose:PutRecordBatch'] }),
      { Effect: 'Allow', Action: ['kms:GenerateDataKey', 'kms:Decrypt'], Resource: [KEY] },
    ])
  })

  it('may be named beside the config file', () => {
    const mappedStreams = [{ event: '*', stream: 'all', kmsKey: KEY }]
    const [given] = policies({ src_web: { mappedStreams } }, { kmsKeys: [OTHER, KEY] })
    expect(given?.permissions?.Statement[1]).toMatchObject({ Resource: [KEY, OTHER] })
  })

  it('leave policies as they are where there are none', () => {
    expect(policies({ src_web: {} })[0]?.permissions?.Statement).toHaveLength(1)
  })
})

describe('the trust policy of a session', () => {
  it.each<[string, object, string[]]>([
    ['tags', { tags: { team: 'web' } }, ['sts:AssumeRole', 'sts:TagSession']],
    ['a source identity', { sourceIdentity: 'events' }, ['sts:AssumeRole', 'sts:SetSourceIdentity']],
    [
      'both',
      { sourceIdentity: 'events', tags: { team: 'web' } },
      ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity'],
    ],
  ])('allows what %s need', (_name, assumeRole, actions) => {
    const [given] = policies({ src_a: { assumeRole }, src_b: {} })
    expect(given?.trust?.Statement).toMatchObject([{ Action: actions }])
  })

  it('allows no more without them', () => {
    const [given] = policies({ src_a: { assumeRole: { sessionName: 'web', durationSeconds: 900 } } })
    expect(given?.trust?.Statement).toMatchObject([{ Action: 'sts:AssumeRole' }])
  })
})

describe('the account of the principal', () => {
  it.each([
    [ROLE, 'eu-west-1', 'arn:aws:iam::595280932656:root'],
    ['arn:aws-cn:iam::123456789012:role/x/y', 'cn-north-1', 'arn:aws-cn:iam::595280932656:root'],
  ])('stands for all in it, in the partition of the role: %s', (roleAddress, region, principal) => {
    const [given] = policies({ src_a: { roleAddress, region } }, { principal: '595280932656' })
    expect(given?.trust?.Statement[0]).toMatchObject({ Principal: { AWS: principal } })
  })
})

describe('sources without a role', () => {
  const ambient = { roleAddress: undefined }

  it('need an account to be named', () => {
    expect(policies({ src_a: ambient })).toEqual([
      { role: null, sources: ['sources[0]'], permissions: null, trust: null },
    ])
  })

  it.each([
    ['eu-west-1', 'aws'],
    ['cn-north-1', 'aws-cn'],
    ['us-gov-west-1', 'aws-us-gov'],
    ['us-iso-east-1', 'aws-iso'],
    ['us-isob-east-1', 'aws-iso-b'],
    ['eu-isoe-west-1', 'aws-iso-e'],
    ['us-isof-south-1', 'aws-iso-f'],
    ['eusc-de-east-1', 'aws-eusc'],
  ])('have permissions in its partition: %s', (region, partition) => {
    const [given] = policies({ src_a: { ...ambient, region } }, { account: '111122223333' })
    expect(given?.trust).toBeNull()
    expect(given?.permissions?.Statement).toMatchObject([
      { Resource: [`arn:${partition}:firehose:${region}:111122223333:deliverystream/all`] },
    ])
  })
})
