import { describe, expect, it } from '@jest/globals'
import { FirehoseError } from '../../../plugin/errors.js'
import { parseSettings, readSettings, type SettingsContext } from '../../../plugin/settings/configuration.js'
import { SETTING_NAMES } from '../../../plugin/settings/schema.js'
import type { DestinationSettings } from '../../../plugin/settings/settings.js'

/** Kept from being read as the accessor. */
const PROTO: string = '__proto__'
const mappedStreams = [{ event: '*', stream: 'everything' }]

function parse(settings: object, context: SettingsContext = {}) {
  return parseSettings(settings as DestinationSettings, { env: {}, ...context })
}

function problemsOf(settings: unknown, context: SettingsContext = {}): string[] {
  const read = readSettings(settings, { env: {}, ...context })
  return 'problems' in read ? read.problems : []
}

function withSettings(settings: object): object {
  return { mappedStreams, ...settings }
}

describe('defaults', () => {
  it('are those of the documentation', () => {
    expect(parse({ mappedStreams })).toEqual({
      mapping: [{ event: '*', stream: 'everything' }],
      region: 'us-west-2',
      roleAddress: undefined,
      sourceId: undefined,
      externalId: undefined,
      api: 'auto',
      routing: 'all',
      aggregation: Object.assign(Object.create(null), { '*': 'off' }),
      aggregateBytes: 262_144,
      flushAt: 500,
      flushBytes: 4_194_304,
      flushInterval: 0,
      maxBufferedBytes: 67_108_864,
      deliveryTimeout: 30_000,
      requestTimeout: 5_000,
      concurrency: undefined,
      maxRequestsPerSecond: 2_000,
      transform: undefined,
      endpoint: undefined,
      stsEndpoint: undefined,
      clientConfig: {},
      logger: console,
    })
  })

  it('stand in for settings given as undefined', () => {
    const unset = Object.fromEntries(SETTING_NAMES.map((name) => [name, undefined]))
    expect(parse({ ...unset, mappedStreams })).toEqual(parse({ mappedStreams }))
  })

  it('take the time to deliver from the context, and all of it for a call', () => {
    const { deliveryTimeout, requestTimeout } = parse({ mappedStreams }, { deliveryTimeout: 5_000 })
    expect([deliveryTimeout, requestTimeout]).toEqual([5_000, 5_000])
    expect(parse(withSettings({ deliveryTimeout: 1 })).requestTimeout).toBe(1)
    expect(parse(withSettings({ deliveryTimeout: 7_000 }), { deliveryTimeout: 5_000 }).deliveryTimeout).toBe(
      7_000,
    )
  })

  it.each([
    ['us-east-1', 2_000],
    ['us-west-2', 2_000],
    ['eu-west-1', 2_000],
    ['eu-central-1', 1_000],
  ])('allow the quota of %s, %i calls a second', (region, quota) => {
    expect(parse(withSettings({ region })).maxRequestsPerSecond).toBe(quota)
  })
})

describe('the region', () => {
  it('comes from the settings, else from AWS_REGION, else is us-west-2', () => {
    const env = { AWS_REGION: 'eu-west-1' }
    expect(parse(withSettings({ region: 'ap-south-1' }), { env }).region).toBe('ap-south-1')
    expect(parse({ mappedStreams }, { env }).region).toBe('eu-west-1')
    expect(parse({ mappedStreams }, { env: { AWS_REGION: '' } }).region).toBe('us-west-2')
  })

  it('is read from the environment of the process where none is given', () => {
    const before = process.env['AWS_REGION']
    process.env['AWS_REGION'] = 'sa-east-1'
    try {
      expect(parseSettings({ mappedStreams }).region).toBe('sa-east-1')
    } finally {
      if (before === undefined) delete process.env['AWS_REGION']
      else process.env['AWS_REGION'] = before
    }
  })

  it('is told to be wrong where AWS_REGION is', () => {
    expect(problemsOf({ mappedStreams }, { env: { AWS_REGION: 'Frankfurt' } })).toEqual([
      `region: got "Frankfurt" from AWS_REGION; name the streams' AWS region, such as 'us-west-2'`,
    ])
  })

  it.each(['us-gov-west-1', 'cn-north-1', 'us-iso-east-1', 'us-isob-east-1', 'eusc-de-east-1'])(
    'may be %s',
    (region) => {
      expect(parse(withSettings({ region })).region).toBe(region)
    },
  )
})

describe('the external ID', () => {
  it.each([
    [{}, undefined],
    [{ sourceId: 'src_1' }, 'src_1'],
    [{ secretId: 'shared' }, 'shared'],
    [{ sourceId: 'src_1', secretId: 'shared' }, 'shared'],
  ])('of %j is %s', (settings, externalId) => {
    expect(parse(withSettings(settings)).externalId).toBe(externalId)
  })

  it.each(['ab', `${'x'.repeat(1224)}`, 'aA0_+=,.@:/-'])('may be %.20s', (secretId) => {
    expect(parse(withSettings({ secretId })).externalId).toBe(secretId)
  })

  it.each(['a', 'x'.repeat(1225), 'a b', 'ü1', ''])('may not be %.20j', (secretId) => {
    expect(problemsOf(withSettings({ secretId }))).toHaveLength(1)
  })
})

describe('ARNs', () => {
  const partitions = [
    ['aws', 'us-west-2'],
    ['aws-cn', 'cn-north-1'],
    ['aws-us-gov', 'us-gov-west-1'],
    ['aws-iso', 'us-iso-east-1'],
    ['aws-iso-b', 'us-isob-east-1'],
    ['aws-iso-e', 'eu-isoe-west-1'],
    ['aws-iso-f', 'us-isof-south-1'],
    ['aws-eusc', 'eusc-de-east-1'],
  ]

  it.each(partitions)('of the partition %s name roles and streams', (partition, region) => {
    const roleAddress = `arn:${partition}:iam::123456789012:role/team/segment-firehose`
    const stream = `arn:${partition}:firehose:${region}:123456789012:deliverystream/new_Users.1-x`
    const { mapping, ...configuration } = parse({ mappedStreams: { page: stream }, region, roleAddress })
    expect(configuration.roleAddress).toBe(roleAddress)
    expect(mapping).toEqual([{ event: 'page', stream: 'new_Users.1-x' }])
  })

  it('of another region are a problem that names both regions', () => {
    const stream = 'arn:aws:firehose:eu-west-1:123456789012:deliverystream/a'
    expect(problemsOf({ mappedStreams: { page: stream }, region: 'us-east-1' })).toEqual([
      `mappedStreams: got ${stream}, which lies in eu-west-1, but the destination's region is us-east-1; set region to 'eu-west-1'`,
    ])
    expect(problemsOf({ mappedStreams: { page: stream } }, { env: { AWS_REGION: 'eu-west-1' } })).toEqual([])
  })

  it("of another account than the role's are a problem that names both", () => {
    const stream = 'arn:aws:firehose:eu-west-1:999999999999:deliverystream/a'
    const settings = { mappedStreams: { page: stream }, region: 'eu-west-1' }
    expect(problemsOf({ ...settings, roleAddress: 'arn:aws:iam::123456789012:role/r' })).toEqual([
      `mappedStreams: got ${stream}, which lies in the account 999999999999, but roleAddress in 123456789012; give a role of the stream's account`,
    ])
    expect(problemsOf({ ...settings, roleAddress: 'arn:aws:iam::999999999999:role/r' })).toEqual([])
    expect(problemsOf(settings)).toEqual([])
  })

  it.each([
    'arn:aws:iam::123456789012:user/someone',
    'arn:aws:iam::1234:role/short-account',
    'arn:aws:iam::123456789012:role/',
    'arn:aws:iam::123456789012:role/a b',
    'segment-firehose',
  ])('of a role may not be %s', (roleAddress) => {
    expect(problemsOf(withSettings({ roleAddress }))).toEqual([
      `roleAddress: got "${roleAddress}"; give the role's ARN, such as arn:aws:iam::123456789012:role/segment-firehose`,
    ])
  })

  it.each([
    'arn:aws:kinesis:us-west-2:123456789012:stream/a',
    'arn:aws:firehose:us-west-2:123456789012:deliverystream/',
    `arn:aws:firehose:us-west-2:123456789012:deliverystream/${'x'.repeat(65)}`,
    'a b',
    'x'.repeat(65),
    'ström',
    'a\n',
  ])('and names of streams may not be %j', (stream) => {
    expect(problemsOf({ mappedStreams: { page: stream } })).toHaveLength(1)
  })
})

describe('the mapping', () => {
  it('is the same as rows and as an object', () => {
    const rows = [
      { event: 'User Registered', stream: 'new_users' },
      { event: 'page', stream: ['page_views', 'audit'] },
    ]
    const object = { 'User Registered': 'new_users', page: ['page_views', 'audit'] }
    expect(parse({ mappedStreams: object }).mapping).toEqual(parse({ mappedStreams: rows }).mapping)
    expect(parse({ mappedStreams: rows }).mapping).toEqual([
      { event: 'user registered', stream: 'new_users' },
      { event: 'page', stream: 'page_views' },
      { event: 'page', stream: 'audit' },
    ])
  })

  it('may be empty', () => {
    expect(parse({ mappedStreams: [] }).mapping).toEqual([])
    expect(parse({ mappedStreams: {} }).mapping).toEqual([])
  })

  it('trims and lowers the event, and leaves the stream as written', () => {
    expect(parse({ mappedStreams: { ' \tPaGe ': 'PageViews' } }).mapping).toEqual([
      { event: 'page', stream: 'PageViews' },
    ])
  })

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'takes %s as any other name',
    (name) => {
      const object = JSON.parse(JSON.stringify({ key: name }).replace('"key"', JSON.stringify(name)))
      const expected = [{ event: name.toLowerCase(), stream: name }]
      expect(parse({ mappedStreams: object }).mapping).toEqual(expected)
      expect(parse({ mappedStreams: [{ event: name, stream: name }] }).mapping).toEqual(expected)
    },
  )
})

describe('aggregation', () => {
  const streams = { page: ['a', 'constructor', '__proto__'] }

  it.each([
    ['off', { '*': 'off' }],
    ['ndjson', { '*': 'ndjson' }],
    [{ a: 'ndjson' }, { '*': 'off', a: 'ndjson' }],
    [
      { '*': 'ndjson', a: 'off' },
      { '*': 'ndjson', a: 'off' },
    ],
  ])('given as %j is %j', (aggregation, expected) => {
    expect({ ...parse({ mappedStreams: streams, aggregation }).aggregation }).toEqual(expected)
  })

  it('knows nothing of streams it was not told of, whatever their names', () => {
    const { aggregation } = parse({ mappedStreams: streams })
    expect([aggregation['constructor'], aggregation[PROTO]]).toEqual([undefined, undefined])
  })

  it('takes __proto__ as any other stream', () => {
    const given = JSON.parse('{"__proto__":"ndjson"}')
    expect(parse({ mappedStreams: streams, aggregation: given }).aggregation[PROTO]).toBe('ndjson')
  })

  it('of a stream that no row names is a problem', () => {
    expect(problemsOf({ mappedStreams: streams, aggregation: { b: 'ndjson' } })).toEqual([
      'aggregation.b: no row of mappedStreams names this stream; name one that stands there, or *',
    ])
  })
})

describe('numbers', () => {
  it('may come as digits, as they do from the environment', () => {
    expect(parse(withSettings({ flushAt: '250' })).flushAt).toBe(250)
  })

  it.each([
    ['aggregateBytes', 1, 1_024_000],
    ['flushAt', 1, 500],
    ['flushBytes', 1, 4_194_304],
    ['maxBufferedBytes', 1_024_000, Number.MAX_SAFE_INTEGER],
    ['deliveryTimeout', 1, 86_400_000],
    ['requestTimeout', 1, 300_000],
    ['concurrency', 1, 1_000],
    ['maxRequestsPerSecond', 1, 1_000_000],
  ])('%s is from %i to %i', (name, min, max) => {
    for (const fine of [min, max]) expect(problemsOf(withSettings({ [name]: fine }))).toEqual([])
    for (const wrong of [min - 1, max + 1, min + 0.5, Number.NaN, '', '1e3', ' 5', null, true, 5n]) {
      expect(problemsOf(withSettings({ [name]: wrong }))).toEqual([
        expect.stringMatching(
          new RegExp(`^${name}: got .+; use a whole number of .+ from ${min} to ${max}$`),
        ),
      ])
    }
  })

  it('flushInterval is below deliveryTimeout', () => {
    expect(problemsOf(withSettings({ flushInterval: 999, deliveryTimeout: 1_000 }))).toEqual([])
    expect(problemsOf(withSettings({ flushInterval: 1_000, deliveryTimeout: 1_000 }))).toEqual([
      'flushInterval: got 1000; use less than deliveryTimeout, 1000 ms',
    ])
    expect(problemsOf(withSettings({ flushInterval: 5_000 }), { deliveryTimeout: 5_000 })).toHaveLength(1)
  })
})

describe('a wrong setting', () => {
  const nameTheStream =
    "give a delivery stream's name (1 to 64 of a-z A-Z 0-9 _ . -) or its ARN (arn:aws:firehose:REGION:ACCOUNT:deliverystream/NAME)"
  const externalId = 'an external ID has 2 to 1224 of a-z A-Z 0-9 _ + = , . @ : / -'
  const url = 'give a URL that starts with https:// or http://'
  const cycle = Object.assign(Object.create(null), {})
  cycle.self = cycle

  it.each<[object, string]>([
    [
      { mappedStreams: undefined },
      'mappedStreams: is missing; give rows of { event, stream }, or an object from event to stream',
    ],
    [
      { mappedStreams: null },
      'mappedStreams: got null; give rows of { event, stream }, or an object from event to stream',
    ],
    [
      { mappedStreams: new Map() },
      'mappedStreams: got {}; give rows of { event, stream }, or an object from event to stream',
    ],
    [{ mappedStreams: ['a'] }, 'mappedStreams[0]: got "a"; give rows of { event, stream }'],
    [
      { mappedStreams: [{ stream: 'a' }] },
      'mappedStreams[0].event: is missing; name a track event, an event type, or "*" for all events',
    ],
    [
      { mappedStreams: [{ event: ' ', stream: 'a' }] },
      'mappedStreams[0].event: got " "; name a track event, an event type, or "*" for all events',
    ],
    [{ mappedStreams: [{ event: 'a' }] }, `mappedStreams[0].stream: is missing; ${nameTheStream}`],
    [{ mappedStreams: { a: [] } }, `mappedStreams.a: got []; ${nameTheStream}`],
    [{ mappedStreams: { a: undefined } }, `mappedStreams.a: is missing; ${nameTheStream}`],
    [{ mappedStreams: { a: ['b', 5] } }, `mappedStreams.a[1]: got 5; ${nameTheStream}`],
    [
      { mappedStreams: { ' ': 'a' } },
      'mappedStreams. : got " "; name a track event, an event type, or "*" for all events',
    ],
    [{ region: 'Ireland' }, "region: got \"Ireland\"; name the streams' AWS region, such as 'us-west-2'"],
    [{ region: 5n }, "region: got 5n; name the streams' AWS region, such as 'us-west-2'"],
    [{ region: Symbol('a') }, "region: got Symbol(a); name the streams' AWS region, such as 'us-west-2'"],
    [
      { region: cycle },
      "region: got an object that is not JSON; name the streams' AWS region, such as 'us-west-2'",
    ],
    [{ sourceId: '!' }, `sourceId: got a value (kept secret); ${externalId}`],
    [{ secretId: '!' }, `secretId: got a value (kept secret); ${externalId}`],
    [{ api: 'putRecord' }, "api: got \"putRecord\"; use one of 'auto', 'PutRecord', 'PutRecordBatch'"],
    [{ routing: 'first' }, "routing: got \"first\"; use one of 'all', 'most-specific'"],
    [
      { aggregation: ['off'] },
      "aggregation: got [\"off\"]; use 'off', 'ndjson', or an object from stream name to one of them",
    ],
    [{ aggregation: { everything: 'on' } }, "aggregation.everything: got \"on\"; use 'off' or 'ndjson'"],
    [{ flushAt: Number.NaN }, 'flushAt: got NaN; use a whole number of records from 1 to 500'],
    [{ transform: 'f' }, 'transform: got "f"; give a function from an event to an event or null'],
    [{ endpoint: 'localhost:4566' }, `endpoint: got "localhost:4566"; ${url}`],
    [{ stsEndpoint: 'ftp://sts' }, `stsEndpoint: got "ftp://sts"; ${url}`],
    [
      { clientConfig: 'x' },
      "clientConfig: got a value (kept secret); give an object of the AWS SDK's client options",
    ],
    [{ logger: { info() {} } }, 'logger: got {}; give an object with info, warn and error, such as console'],
    [
      { logger: () => {} },
      'logger: got a function; give an object with info, warn and error, such as console',
    ],
  ])('%j is told by name, value and fix', (settings, problem) => {
    expect(problemsOf(withSettings(settings))).toEqual([problem])
  })

  it.each([
    ['flushat', 'flushAt'],
    ['secretID', 'secretId'],
    ['mappedStream', 'mappedStreams'],
    ['regoin', 'region'],
  ])('%s that is not known is told with the one that was meant', (given, meant) => {
    expect(problemsOf(withSettings({ [given]: 'x' }))).toEqual([
      `${given}: is not a setting. Did you mean \`${meant}\`?`,
    ])
  })

  it.each(['foo', 'constructor', '__proto__'])(
    '%s, like none that is known, is told with all of them',
    (given) => {
      const settings = withSettings({})
      Object.defineProperty(settings, given, { value: 1, enumerable: true })
      expect(problemsOf(settings)).toEqual([
        `${given}: is not a setting; known are ${SETTING_NAMES.join(', ')}`,
      ])
    },
  )

  it('of a row is held against the names of a row', () => {
    expect(problemsOf({ mappedStreams: [{ event: 'a', stream: 'b', strem: 'c' }] })).toEqual([
      'mappedStreams[0].strem: is not a setting. Did you mean `stream`?',
    ])
    expect(problemsOf({ mappedStreams: [{ event: 'a', stream: 'b', to: 'c' }] })).toEqual([
      'mappedStreams[0].to: is not a setting; known are event, stream, kmsKey',
    ])
  })

  it('is told together with all others, those that only contradict each other included', () => {
    const problems = problemsOf({
      mappedStreams: { page: 'arn:aws:firehose:eu-west-1:123456789012:deliverystream/a', ' ': 'b' },
      api: 'x',
      flushAt: 0,
      foo: 1,
    })
    expect(problems.map((problem) => problem.split(':')[0])).toEqual([
      'api',
      'flushAt',
      'mappedStreams. ',
      'foo',
    ])
    const contradictions = problemsOf({
      mappedStreams: { page: 'arn:aws:firehose:eu-west-1:123456789012:deliverystream/a' },
      aggregation: { a: 'off', b: 'ndjson' },
      flushInterval: 30_000,
      api: 'x',
    })
    expect(contradictions.map((problem) => problem.split(':')[0])).toEqual([
      'api',
      'mappedStreams',
      'aggregation.b',
      'flushInterval',
    ])
  })

  it('does not bring up what only follows from it', () => {
    const stream = 'arn:aws:firehose:eu-west-1:123456789012:deliverystream/a'
    expect(problemsOf({ mappedStreams: { page: stream }, region: 'Ireland' })).toHaveLength(1)
    expect(problemsOf({ mappedStreams: 5, aggregation: { a: 'ndjson' } })).toHaveLength(1)
    expect(problemsOf(withSettings({ deliveryTimeout: 'x', flushInterval: 60_000 }))).toHaveLength(1)
  })

  it('throws one ERR_SETTINGS with a line each', () => {
    const error = caught(() => parse({ mappedStreams, flushAt: 0, api: 'x' }))
    expect(error).toBeInstanceOf(FirehoseError)
    expect(error.code).toBe('ERR_SETTINGS')
    expect(error.message.split('\n')).toEqual([
      'Wrong settings:',
      expect.stringMatching(/^ {2}api: /),
      expect.stringMatching(/^ {2}flushAt: /),
    ])
  })

  it('is named with the place its settings stand at', () => {
    const at = ['sources', 0, 'destination']
    expect(problemsOf({ mappedStreams, flushAt: 0 }, { at })).toEqual([
      expect.stringMatching(/^sources\[0\]\.destination\.flushAt: got 0; /),
    ])
    expect(problemsOf(null, { at })).toEqual([
      'sources[0].destination: got null; give an object with mappedStreams',
    ])
  })

  it('is shown short', () => {
    const [problem] = problemsOf(withSettings({ api: 'x'.repeat(10_000) }))
    expect(problem?.length).toBeLessThan(200)
  })
})

describe('settings that are none', () => {
  it.each([null, undefined, 5, 'text', [], [{ mappedStreams }]])('%j are told so', (settings) => {
    expect(problemsOf(settings)).toEqual([
      expect.stringMatching(/^settings: got .+; give an object with mappedStreams$/),
    ])
  })

  it('may be an instance of a class', () => {
    class Settings {
      readonly mappedStreams = mappedStreams
      readonly region = 'eu-west-1'
    }
    expect(parse(new Settings()).region).toBe('eu-west-1')
  })
})

describe('secrets', () => {
  const secret = 'hush-hush'

  it.each<[string, unknown]>([
    ['secretId', { mappedStreams, secretId: `${secret} !` }],
    ['sourceId', { mappedStreams, sourceId: [secret] }],
    ['clientConfig', { mappedStreams, clientConfig: secret }],
    [
      'settings in an array',
      [{ mappedStreams, secretId: secret, clientConfig: { credentials: { secret } } }],
    ],
    ['a secret in the wrong place', { mappedStreams, region: { secretId: secret, writeKey: secret } }],
    ['a misspelt secret', { mappedStreams, secretID: secret, secretIdd: secret }],
    ['a URL with a password', { mappedStreams, endpoint: `ftp://me:${secret}@host` }],
    ['a URL with a password in an object', { mappedStreams, region: { url: `http://me:${secret}@host` } }],
    ['others being wrong', { mappedStreams: 5, secretId: secret, sourceId: secret, flushAt: 0 }],
  ])('do not stand in messages: %s', (_name, settings) => {
    const problems = problemsOf(settings)
    expect(problems).not.toEqual([])
    expect(problems.join('\n')).not.toContain(secret)
  })
})

describe('the configuration', () => {
  it('is read-only', () => {
    const configuration = parse(withSettings({ aggregation: { everything: 'ndjson' } }))
    for (const part of [
      configuration,
      configuration.mapping,
      ...configuration.mapping,
      configuration.aggregation,
    ]) {
      expect(Object.isFrozen(part)).toBe(true)
    }
  })

  it('does not change with the settings it was read from', () => {
    const row = { event: 'page', stream: 'a' }
    const configuration = parse({ mappedStreams: [row] })
    row.stream = 'b'
    expect(configuration.mapping).toEqual([{ event: 'page', stream: 'a' }])
  })

  it('holds what was given', () => {
    const transform = () => null
    const logger = { info() {}, warn() {}, error() {} }
    const clientConfig = { credentials: { accessKeyId: 'a', secretAccessKey: 'b' } }
    const given = {
      api: 'PutRecord',
      routing: 'most-specific',
      endpoint: 'https://vpce.example',
      concurrency: 3,
    }
    const configuration = parse(withSettings({ ...given, transform, logger, clientConfig }))
    expect(configuration).toMatchObject(given)
    expect(configuration.transform).toBe(transform)
    expect(configuration.logger).toBe(logger)
    expect(configuration.clientConfig).toBe(clientConfig)
  })
})

function caught(act: () => unknown): FirehoseError {
  try {
    act()
  } catch (error) {
    return error as FirehoseError
  }
  throw new Error('nothing was thrown')
}
