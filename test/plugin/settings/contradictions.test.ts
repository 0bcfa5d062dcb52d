import { describe, expect, it } from '@jest/globals'
import { readSettings } from '../../../plugin/settings/configuration.js'

const mappedStreams = [{ event: '*', stream: 'everything' }]
const ROLE = 'arn:aws:iam::123456789012:role/x'

function read(settings: object, env: Record<string, string> = {}) {
  return readSettings({ mappedStreams, ...settings }, { env })
}

function problemsOf(settings: object, env: Record<string, string> = {}): string[] {
  const found = read(settings, env)
  return 'problems' in found ? found.problems : []
}

function regionOf(settings: object, env: Record<string, string> = {}): string | undefined {
  const found = read(settings, env)
  return 'configuration' in found ? found.configuration.region : undefined
}

describe('a role', () => {
  it.each([
    ['us-west-2', 'aws'],
    ['mx-central-1', 'aws'],
    ['cn-north-1', 'aws-cn'],
    ['us-gov-west-1', 'aws-us-gov'],
    ['us-iso-east-1', 'aws-iso'],
    ['us-isob-east-1', 'aws-iso-b'],
    ['eu-isoe-west-1', 'aws-iso-e'],
    ['us-isof-south-1', 'aws-iso-f'],
    ['eusc-de-east-1', 'aws-eusc'],
  ])('of the partition of %s is %s', (region, partition) => {
    const role = (of: string) => `arn:${of}:iam::123456789012:role/x`
    expect(problemsOf({ region, roleAddress: role(partition) })).toEqual([])
    const other = partition === 'aws' ? 'aws-iso' : 'aws'
    expect(problemsOf({ region, roleAddress: role(other) })).toEqual([
      `roleAddress: got ${role(other)}, a role of the partition ${other}, but the region ${region} is of ${partition}; give a role of that partition, or set region`,
    ])
  })

  it('is compared with the region that stands nowhere in the settings', () => {
    expect(problemsOf({ roleAddress: ROLE }, { AWS_REGION: 'cn-north-1' })).toHaveLength(1)
  })
})

describe('the region', () => {
  it('comes from the endpoint where only that names it', () => {
    const endpoint = 'https://vpce-0a1b-87654321-eu-west-1a.firehose.eu-west-1.vpce.amazonaws.com'
    expect(regionOf({ endpoint }, { AWS_REGION: 'us-east-1' })).toBe('eu-west-1')
    expect(regionOf({ endpoint, region: 'eu-west-1' })).toBe('eu-west-1')
    expect(regionOf({ endpoint: 'http://127.0.0.1:4599' }, { AWS_REGION: 'us-east-1' })).toBe('us-east-1')
  })

  it('of the endpoint and of the settings are the same, as AWS takes nothing signed for another', () => {
    const endpoint = 'https://firehose-fips.us-east-1.amazonaws.com'
    expect(problemsOf({ endpoint, region: 'us-west-2' })).toEqual([
      `endpoint: got "${endpoint}", which is of us-east-1, but the destination's region is us-west-2; set region to 'us-east-1', or leave it out`,
    ])
  })

  it('of STS may be another of the same partition', () => {
    expect(problemsOf({ region: 'us-west-2', stsEndpoint: 'https://sts.amazonaws.com' })).toEqual([])
    const stsEndpoint = 'https://sts.cn-north-1.amazonaws.com.cn'
    expect(problemsOf({ region: 'us-west-2', stsEndpoint })).toEqual([
      `stsEndpoint: got "${stsEndpoint}", which is of the partition aws-cn, but the region us-west-2 is of aws; give an STS of that partition`,
    ])
  })

  it('of a stream given by its ARN has the partition that the ARN begins with', () => {
    const stream = 'arn:aws-cn:firehose:us-west-2:123456789012:deliverystream/a'
    expect(problemsOf({ mappedStreams: [{ event: '*', stream }] })).toEqual([
      `mappedStreams: got ${stream}, an ARN of the partition aws-cn, but us-west-2 is of aws; begin it with arn:aws:`,
    ])
  })
})

describe('the key of a stream', () => {
  const key = (region: string, id = 'a') => `arn:aws:kms:${region}:123456789012:key/${id}`

  it('stands beside it, in rows', () => {
    const found = read({ mappedStreams: [{ event: '*', stream: ['a', 'b'], kmsKey: key('us-west-2') }] })
    expect(found).toMatchObject({
      configuration: { kmsKeys: { a: key('us-west-2'), b: key('us-west-2') } },
    })
  })

  it.each<[object, string]>([
    [
      { kmsKey: 'alias/events' },
      'mappedStreams[0].kmsKey: got "alias/events"; give the KMS key\'s ARN, arn:aws:kms:REGION:ACCOUNT:key/ID; policies take no alias of it',
    ],
    [
      { kmsKey: key('eu-west-1') },
      `mappedStreams: got ${key('eu-west-1')}, which lies in eu-west-1, but a stream's key lies beside it, in us-west-2; give the key of that region`,
    ],
  ])('is refused where it cannot be the one: %j', (more, problem) => {
    expect(problemsOf({ mappedStreams: [{ event: '*', stream: 'a', ...more }] })).toEqual([problem])
  })

  it('is one', () => {
    const rows = ['a', 'b'].map((id) => ({ event: id, stream: 's', kmsKey: key('us-west-2', id) }))
    expect(problemsOf({ mappedStreams: rows })).toEqual([
      `mappedStreams: got two kmsKeys for the stream s, ${key('us-west-2', 'a')} and ${key('us-west-2', 'b')}; give the one that encrypts it`,
    ])
    const [first] = rows
    expect(problemsOf({ mappedStreams: [first, { event: 'c', stream: 's' }, first] })).toEqual([])
  })
})

describe('how a role is assumed', () => {
  it('takes what AWS takes', () => {
    const assumeRole = {
      sessionName: 'web@example.com',
      sourceIdentity: 'events',
      tags: { team: 'web', 'Cost Center': '', ünï: 'x/y+z' },
      transitiveTags: ['team'],
      durationSeconds: '900',
    }
    expect(read({ roleAddress: ROLE, assumeRole })).toMatchObject({
      configuration: { assumeRole: { ...assumeRole, durationSeconds: 900 } },
    })
  })

  it.each<[object, string]>([
    [{ sessionName: 'a' }, 'assumeRole.sessionName: got "a"; use 2 to 64 of'],
    [{ sessionName: 'a b' }, 'assumeRole.sessionName: got "a b"; use 2 to 64 of'],
    [{ sourceIdentity: 'aws:me' }, 'assumeRole.sourceIdentity: got "aws:me"; use 2 to 64 of'],
    [
      { durationSeconds: 899 },
      'assumeRole.durationSeconds: got 899; use a whole number of seconds from 900 to 43200',
    ],
    [{ tags: { 'aws:x': '1' } }, 'assumeRole.tags.aws:x: got "aws:x"; name a tag by 1 to 128'],
    [{ tags: { 'a#b': '1' } }, 'assumeRole.tags.a#b: got "a#b"; name a tag by 1 to 128'],
    [{ tags: { a: '#' } }, 'assumeRole.tags.a: got "#"; use up to 256 letters'],
    [{ tags: { a: 5 } }, 'assumeRole.tags.a: got 5; use up to 256 letters'],
    [{ tags: { Team: '1', team: '2' } }, 'assumeRole.tags: got {"Team":"1","team":"2"}; give each tag once'],
    [{ tags: ['a'] }, 'assumeRole.tags: got ["a"]; give an object from tag to value'],
    [
      { tags: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`t${i}`, ''])) },
      'give an object from tag to value, with 50 tags at most',
    ],
    [
      { tags: { a: '1' }, transitiveTags: ['b'] },
      'assumeRole.transitiveTags[0]: got "b"; give a list of keys that stand in tags',
    ],
    [{ transitiveTags: 'a' }, 'assumeRole.transitiveTags: got "a"; give a list of keys'],
    [{ sesionName: 'web' }, 'assumeRole.sesionName: is not a setting. Did you mean `sessionName`?'],
    [{ externalId: 'x' }, 'assumeRole.externalId: is not a setting; known are sessionName, sourceIdentity'],
  ])('is refused as AWS would: %j', (assumeRole, problem) => {
    expect(problemsOf({ roleAddress: ROLE, assumeRole })).toEqual([expect.stringContaining(problem)])
  })

  it('is an object', () => {
    expect(problemsOf({ roleAddress: ROLE, assumeRole: 'web' })).toEqual([
      'assumeRole: got "web"; give { sessionName, sourceIdentity, tags, transitiveTags, durationSeconds }',
    ])
  })

  it('has no effect without a role', () => {
    expect(problemsOf({ assumeRole: { sessionName: 'web' } })).toEqual([
      'assumeRole: has no effect without roleAddress; name the role, or leave assumeRole out',
    ])
  })
})

describe('the environment', () => {
  it.each<[Record<string, string>, string]>([
    [{ AWS_ACCESS_KEY_ID: 'AKIA\n' }, 'AWS_ACCESS_KEY_ID: ends with a line break; remove it'],
    [{ AWS_SECRET_ACCESS_KEY: 'secret\r\n' }, 'AWS_SECRET_ACCESS_KEY: ends with a line break; remove it'],
    [{ AWS_SESSION_TOKEN: "'token'" }, 'AWS_SESSION_TOKEN: stands in quotation marks; remove them'],
    [
      { AWS_SECRET_ACCESS_KEY: 'sec ret' },
      'AWS_SECRET_ACCESS_KEY: holds white space or a character that no key has; copy it again',
    ],
    [
      { HTTPS_PROXY: 'socks5://user:pass@proxy' },
      'HTTPS_PROXY: is not the URL of a proxy that speaks http or https; give one, such as http://proxy.example.com:3128, or set httpsProxy to false',
    ],
  ])('that cannot work is told at the start: %j', (env, problem) => {
    expect(problemsOf({}, env)).toEqual([problem])
  })

  it('is not looked at for what it does not decide', () => {
    const keys = { AWS_ACCESS_KEY_ID: 'AKIA\n', AWS_PROFILE: 'events' }
    expect(problemsOf({}, keys)).toEqual([])
    const credentials = { accessKeyId: 'AKIA', secretAccessKey: 'secret' }
    expect(problemsOf({ clientConfig: { credentials } }, { AWS_ACCESS_KEY_ID: 'AKIA\n' })).toEqual([])
    expect(problemsOf({ httpsProxy: false }, { HTTPS_PROXY: 'socks5://proxy' })).toEqual([])
    expect(problemsOf({}, { HTTPS_PROXY: 'proxy.example.com:3128' })).toEqual([])
  })
})

it('keys in the settings are looked at as well', () => {
  const credentials = { accessKeyId: 'AKIA', secretAccessKey: 'secret\n' }
  expect(problemsOf({ clientConfig: { credentials } })).toEqual([
    'clientConfig: credentials: the secret access key ends with a line break; remove it',
  ])
})

it('the password of a proxy is not shown', () => {
  expect(problemsOf({ httpsProxy: 'socks5://user:pass@proxy' })).toEqual([
    'httpsProxy: got "socks5://proxy"; give the proxy\'s URL, such as http://proxy.example.com:3128, or false for no proxy',
  ])
})
