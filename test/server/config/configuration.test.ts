import { describe, expect, it } from '@jest/globals'
import { readProxyConfig, readServeConfig } from '../../../server/config/configuration.js'
import { firehoseProxy } from '../../../server/firehose-proxy.js'

const destination = { mappedStreams: { '*': 'everything' } }
const source = { id: 'src_web', writeKey: 'key-1', destination }

function read(given: unknown) {
  const result = readProxyConfig(given, { env: {} })
  if ('problems' in result) throw new Error(result.problems.join('\n'))
  return result.configuration
}

function problems(given: unknown, reader = readProxyConfig) {
  const result = reader(given, { env: {} })
  return 'problems' in result ? result.problems : []
}

describe('a config', () => {
  it('is filled in', () => {
    expect(read({ sources: [source] })).toMatchObject({
      sources: [
        {
          id: 'src_web',
          name: 'sources[0]',
          writeKeys: ['key-1'],
          enabled: true,
          destinations: [
            {
              sourceId: 'src_web',
              externalId: 'src_web',
              region: 'us-west-2',
              deliveryTimeout: 5_000,
              mapping: [{ event: '*', stream: 'everything' }],
            },
          ],
          origins: '*',
          ip: 'keep',
          timestamps: 'segment',
          rateLimit: undefined,
          dedupe: { windowMs: 600_000, maxEntries: 100_000 },
          browser: {},
          forward: undefined,
        },
      ],
      trustProxy: false,
      publicUrl: undefined,
      customPath: undefined,
      maxBufferedBytes: 64 * 1024 * 1024,
      maxClients: 100,
      deadLetters: undefined,
      logger: console,
    })
  })

  it("has AWS_REGION for a destination's default, and the logger for all", () => {
    const logger = { info() {}, warn() {}, error() {} }
    const result = readProxyConfig({ logger, sources: [source] }, { env: { AWS_REGION: 'eu-west-1' } })
    expect(result).toMatchObject({
      configuration: { logger, sources: [{ destinations: [{ region: 'eu-west-1' }] }] },
    })
  })

  it('has external IDs from itself alone: secretId, else sourceId, else id', () => {
    const externalId = (settings: object) =>
      read({ sources: [{ ...source, destination: { ...destination, ...settings } }] }).sources[0]
        ?.destinations[0]?.externalId
    expect(externalId({})).toBe('src_web')
    expect(externalId({ sourceId: 'other' })).toBe('other')
    expect(externalId({ sourceId: 'other', secretId: 'shared-secret' })).toBe('shared-secret')
  })

  it('takes several write keys, numbers from the environment, and functions', () => {
    const transform = () => null
    const given = {
      maxBufferedBytes: '8000000',
      maxClients: '7',
      deadLetters: './x',
      sources: [{ ...source, name: 'Web', writeKey: ['a', 'b'], destination: { ...destination, transform } }],
    }
    expect(read(given)).toMatchObject({
      maxBufferedBytes: 8_000_000,
      maxClients: 7,
      deadLetters: { kind: 'directory', directory: './x' },
      sources: [{ name: 'Web', writeKeys: ['a', 'b'], destinations: [{ transform }] }],
    })
  })

  const other = { ...source, id: 'src_app', writeKey: 'key-2' }
  it.each<[string, unknown, string[]]>([
    ['nothing', undefined, ['got undefined; give an object with sources']],
    ['a list', [], ['got []; give an object with sources']],
    ['no sources', {}, ['sources: is missing; give a list of sources']],
    ['an empty list', { sources: [] }, ['sources: got []; give a source of { id, writeKey, destination }']],
    [
      'a source that is none',
      { sources: [7] },
      ['sources[0]: got 7; give a source of { id, writeKey, destination }'],
    ],
    [
      'an empty source',
      { sources: [{}] },
      [
        "sources[0].id: is missing; give Segment's source ID in quotes",
        'sources[0].writeKey: is missing; give the write key in quotes, or a list of them',
        "sources[0].destination: is missing; give the destination's settings, such as region and mappedStreams",
      ],
    ],
    [
      'URLs of forwarding that nothing can be sent to',
      { sources: [{ ...source, forward: { url: 'https://u:p@h.test', cdn: 'https://h.test/?a' } }] },
      [
        'sources[0].forward.url: got "https://h.test"; give a URL without user, password, query and fragment',
        'sources[0].forward.cdn: got "https://h.test/?a"; give a URL without user, password, query and fragment',
      ],
    ],
    [
      'a URL of forwarding that is none',
      { sources: [{ ...source, forward: { url: 'api.segment.io' } }] },
      ['sources[0].forward.url: got "api.segment.io"; give a URL that starts with https:// or http://'],
    ],
    [
      'an id that is a number',
      { sources: [{ ...source, id: 9_876_543 }] },
      ["sources[0].id: got a value (kept secret); give Segment's source ID in quotes"],
    ],
    [
      'a source in place of a list of them',
      { sources: { id: 'src_web' } },
      ['sources: got {"id":"(kept secret)"}; give a list of sources'],
    ],
    [
      'an id that can be no external ID',
      { sources: [{ ...source, id: 'a b' }] },
      [
        'sources[0].id: got a value (kept secret); a source ID has 2 to 1224 of a-z A-Z 0-9 _ + = , . @ : / -',
      ],
    ],
    [
      'a write key that is a number',
      { sources: [{ ...source, writeKey: 123456 }] },
      ['sources[0].writeKey: got a value (kept secret); give the write key in quotes, or a list of them'],
    ],
    [
      'an empty write key',
      { sources: [{ ...source, writeKey: [''] }] },
      ['sources[0].writeKey[0]: got a value (kept secret); give the write key in quotes, or a list of them'],
    ],
    [
      'what two sources share',
      {
        sources: [
          { ...source, name: 'Web' },
          { ...other, name: 'Web', id: 'src_web', writeKey: ['x', 'key-1'] },
        ],
      },
      [
        'sources[1].id: is the same as sources[0].id; give each source its own',
        'sources[1].name: is the same as sources[0].name; give each source its own',
        'sources[1].writeKey: is the same as sources[0].writeKey; give each source its own',
      ],
    ],
    [
      'unknown names, at every level',
      {
        source: [],
        sources: [
          {
            ...source,
            writekey: 'x',
            destination: { ...destination, roleAdress: 'x' },
            forward: { urll: 'https://api.segment.io' },
            browser: { httpConfig: { backoffConfig: { maxRetries: 3 } } },
          },
        ],
      },
      [
        'sources[0].browser.httpConfig.backoffConfig.maxRetries: is not a setting; known are enabled, maxRetryCount, baseBackoffInterval, maxBackoffInterval, maxTotalBackoffDuration, jitterPercent, default4xxBehavior, default5xxBehavior, statusCodeOverrides',
        'sources[0].forward.urll: is not a setting. Did you mean `url`?',
        'sources[0].writekey: is not a setting. Did you mean `writeKey`?',
        'source: is not a setting. Did you mean `sources`?',
        'sources[0].destination.roleAdress: is not a setting. Did you mean `roleAddress`?',
      ],
    ],
    [
      'unknown names in a group of settings, with those that are known there',
      {
        sources: [
          {
            ...source,
            rateLimit: { limit: 1, per: 's' },
            dedupe: { window: '10m' },
            browser: { deliveryStrategy: { strategy: 'batching', config: { timout: 1 }, size: 10 } },
            forward: { host: 'x' },
          },
        ],
      },
      [
        'sources[0].rateLimit.per: is not a setting; known are limit, windowMs, maxEvents',
        'sources[0].dedupe.window: is not a setting. Did you mean `windowMs`?',
        'sources[0].browser.deliveryStrategy.config.timout: is not a setting. Did you mean `timeout`?',
        'sources[0].browser.deliveryStrategy.size: is not a setting; known are strategy, config',
        'sources[0].forward.host: is not a setting; known are url, enabled, maxQueuedBytes, cdn',
      ],
    ],
    [
      'settings that are of no use there',
      { listen: {}, sources: [{ ...source, destination: { ...destination, maxBufferedBytes: 9_000_000 } }] },
      [
        'listen: is not a setting; known are sources, maxBufferedBytes, maxClients, spill, deadLetters, trustProxy, publicUrl, customPath, unversionedPaths, onRequest, logger',
        'sources[0].destination.maxBufferedBytes: memory is capped for all sources together; set it beside sources',
      ],
    ],
    [
      'wrong values of its own',
      {
        maxBufferedBytes: 1000,
        maxClients: 0,
        deadLetters: '',
        logger: {},
        sources: [{ ...source, name: '' }],
      },
      [
        'sources[0].name: got ""; give the source\'s name',
        'maxBufferedBytes: got 1000; use a whole number from 5242880 to 9007199254740991',
        'maxClients: got 0; use a whole number from 1 to 100000',
        'deadLetters.directory: got ""; give a directory',
        'logger: got {}; give an object with info, warn and error, such as console',
      ],
    ],
    [
      'wrong destinations, all at once',
      {
        sources: [
          { ...source, destination: { region: 'Ireland', mappedStreams: { page: 'a b' } } },
          { ...other, destination: { ...destination, secretId: 'not allowed', flushAt: 501 } },
        ],
      },
      [
        expect.stringContaining('sources[0].destination.region: got "Ireland"; '),
        expect.stringContaining('sources[0].destination.mappedStreams.page'),
        expect.stringContaining('sources[1].destination.secretId: got a value (kept secret); '),
        expect.stringContaining('sources[1].destination.flushAt: got 501; '),
      ] as unknown[] as string[],
    ],
  ])('is told all that is wrong: %s', (_name, given, lines) => {
    const told = problems(given)
    expect(told).toHaveLength(lines.length)
    expect(told).toEqual(expect.arrayContaining(lines))
    expect(told.join()).not.toMatch(/key-1|src_web|not allowed|123456/)
    for (const line of told) expect(line).not.toContain('\n')
  })

  it('has once what is wrong in the environment for all sources', () => {
    const env = { AWS_SECRET_ACCESS_KEY: 'secret\n' }
    const sources = [source, { ...source, id: 'src_app', writeKey: 'key-2' }]
    expect(readProxyConfig({ sources }, { env })).toEqual({
      problems: ['AWS_SECRET_ACCESS_KEY: ends with a line break; remove it'],
    })
  })

  it('of serve has listen', () => {
    const listen = { host: '::1', port: '81', maxHeaderBytes: '65536' }
    const result = readServeConfig({ listen, sources: [source] }, { env: {} })
    expect(result).toMatchObject({
      configuration: { listen: { host: '::1', port: 81, maxHeaderBytes: 65_536 } },
    })
    expect(problems({ listen: { prot: 1, port: 70_000 }, sources: [source] }, readServeConfig)).toEqual([
      'listen.port: got 70000; use a whole number from 0 to 65535',
      'listen.prot: is not a setting; known are host, port, maxHeaderBytes',
    ])
    for (const maxHeaderBytes of [1_023, 1_048_577, 1.5, '16k', null]) {
      expect(problems({ listen: { maxHeaderBytes }, sources: [source] }, readServeConfig)).toEqual([
        expect.stringMatching(
          /^listen\.maxHeaderBytes: got .*; use a whole number of bytes from 1024 to 1048576$/,
        ),
      ])
    }
  })

  it('of serve has metrics, which are off without a port', () => {
    const read = (metrics?: object) => readServeConfig({ metrics, sources: [source] }, { env: {} })
    expect(read({ host: '::1', port: '9464' })).toMatchObject({
      configuration: { metrics: { host: '::1', port: 9464 } },
    })
    expect(read()).toMatchObject({ configuration: { metrics: { host: undefined, port: undefined } } })
    expect(problems({ metrics: { port: -1, path: '/' }, sources: [source] }, readServeConfig)).toEqual([
      'metrics.port: got -1; use a whole number from 0 to 65535',
      'metrics.path: is not a setting; known are host, port',
    ])
    expect(problems({ metrics: true, sources: [source] }, readServeConfig)).toEqual([
      'metrics: got true; give { port, host }',
    ])
    expect(problems({ metrics: {}, sources: [source] })[0]).toMatch(/^metrics: is not a setting/)
  })
})

describe('firehoseProxy', () => {
  it('throws ERR_SETTINGS with all that is wrong', () => {
    const config = { sources: [{ id: 'src_web' }] } as unknown as Parameters<typeof firehoseProxy>[0]
    expect(() => firehoseProxy(config)).toThrow(
      expect.objectContaining({
        code: 'ERR_SETTINGS',
        message: expect.stringMatching(
          /^Wrong settings:\n {2}sources\[0\]\.writeKey: .*\n {2}sources\[0\]\.destination: /,
        ),
      }),
    )
  })

  it('is made of a config', async () => {
    const proxy = firehoseProxy({ sources: [source] })
    expect(proxy.stats()).toMatchObject({ bufferedBytes: 0, sources: { 'sources[0]': { delivered: 0 } } })
    expect(await proxy.close()).toEqual({ 'sources[0]': {} })
  })
})

describe("a source's settings", () => {
  it('are taken, from text too where they come from the environment', () => {
    const given = {
      trustProxy: '2',
      publicUrl: 'https://events.example.com/analytics/',
      customPath: '/e7',
      sources: [
        {
          ...source,
          enabled: 'false',
          origins: ['https://www.example.com', 'https://*.example.com'],
          ip: 'truncate',
          timestamps: 'keep',
          rateLimit: { limit: '100' },
          dedupe: { windowMs: 5 },
          browser: { deliveryStrategy: { strategy: 'batching', config: { size: 20 } } },
          forward: { cdn: 'https://cdn.segment.com' },
          destination: [destination, { ...destination, region: 'eu-west-1' }],
        },
      ],
    }
    expect(read(given)).toMatchObject({
      trustProxy: 2,
      publicUrl: 'https://events.example.com/analytics',
      customPath: '/e7',
      sources: [
        {
          enabled: false,
          origins: ['https://www.example.com', 'https://*.example.com'],
          ip: 'truncate',
          timestamps: 'keep',
          rateLimit: { limit: 100, windowMs: 1_000 },
          dedupe: { windowMs: 5, maxEntries: 100_000 },
          browser: { deliveryStrategy: { strategy: 'batching', config: { size: 20 } } },
          forward: {
            url: 'https://api.segment.io',
            enabled: true,
            maxQueuedBytes: 8 * 1024 * 1024,
            cdn: 'https://cdn.segment.com',
          },
          destinations: [{ region: 'us-west-2' }, { region: 'eu-west-1' }],
        },
      ],
    })
    expect(read({ sources: [{ ...source, rateLimit: { maxEvents: '9' } }] }).sources[0]?.rateLimit).toEqual({
      limit: undefined,
      maxEvents: 9,
      windowMs: 1_000,
    })
    expect(read({ sources: [{ ...source, dedupe: false, origins: '*' }] }).sources[0]).toMatchObject({
      dedupe: undefined,
      origins: '*',
    })
  })

  it.each<[object, object, string]>([
    [{}, { enabled: 'no' }, 'sources[0].enabled: got "no"; use true or false'],
    [{}, { origins: 'www.example.com' }, 'sources[0].origins: got "www.example.com"; give origins such as'],
    [{}, { origins: [] }, 'sources[0].origins: got []; give origins such as'],
    [{}, { ip: 'hide' }, `sources[0].ip: got "hide"; use one of 'keep', 'truncate', 'drop'`],
    [{}, { timestamps: 'own' }, `sources[0].timestamps: got "own"; use one of 'segment', 'keep'`],
    [{}, { timestamps: true }, `sources[0].timestamps: got true; use one of 'segment', 'keep'`],
    [{}, { timestamp: 'keep' }, 'sources[0].timestamp: is not a setting. Did you mean `timestamps`?'],
    [{}, { rateLimit: {} }, 'sources[0].rateLimit.limit: is missing; use a whole number of requests from 1'],
    [
      {},
      { rateLimit: { windowMs: 5 } },
      'sources[0].rateLimit.limit: is missing; use a whole number of requests',
    ],
    [{}, { rateLimit: {} }, 'or give maxEvents'],
    [
      {},
      { rateLimit: { maxEvents: 0 } },
      'sources[0].rateLimit.maxEvents: got 0; use a whole number of events',
    ],
    [{}, { rateLimit: { limit: 5, maxevents: 9 } }, 'is not a setting. Did you mean `maxEvents`?'],
    [{}, { rateLimit: 5 }, 'sources[0].rateLimit: got 5; give { limit, windowMs, maxEvents }'],
    [{}, { dedupe: true }, 'sources[0].dedupe: got true; give { windowMs, maxEntries }, or false'],
    [{ spill: { directory: 's', foo: 1 } }, {}, 'spill.foo: is not a setting; known are directory, maxBytes'],
    [
      { spill: { queueUrl: 'https://sqs.eu-west-1.amazonaws.com/123456789012/s', regon: 'x' } },
      {},
      'spill.regon: is not a setting. Did you mean `region`?',
    ],
    [{}, { browser: { batch: 1 } }, 'sources[0].browser.batch: is not a setting; known are deliveryStrategy'],
    [{}, { rateLimit: { limit: 1, windowMS: 1 } }, 'is not a setting. Did you mean `windowMs`?'],
    [{}, { forward: true }, 'sources[0].forward: got true; give { url, enabled, maxQueuedBytes, cdn }'],
    [
      {},
      { forward: { url: 'https://me:pass@x.example' } },
      'sources[0].forward.url: got "https://x.example"; give a URL without user, password, query and fragment',
    ],
    [
      {},
      { forward: { url: 'https://api.segment.io/v1/' } },
      'sources[0].forward.url: got "https://api.segment.io/v1/"; leave out /v1 at its end',
    ],
    [{}, { writeKey: 'key\n' }, 'sources[0].writeKey: got a value (kept secret); give the write key'],
    [{}, { destination: [] }, "sources[0].destination: got []; give the destination's settings"],
    [
      {},
      { destination: [destination, { ...destination, region: 'Ireland' }] },
      'sources[0].destination[1].region: got "Ireland"; ',
    ],
    [{ trustProxy: 'everyone' }, {}, 'trustProxy: got "everyone"; give true, false, the number of proxies'],
    [
      { publicUrl: 'events.example.com' },
      {},
      'publicUrl: got "events.example.com"; give the URL that clients reach',
    ],
    [{ customPath: '/v1' }, {}, 'customPath: got "/v1"; give a path of one part that is not in use'],
    [{ customPath: 'e7' }, {}, 'customPath: got "e7"; give a path of one part'],
    [{ customPath: '/beacon' }, {}, 'customPath: got "/beacon"; give a path of one part that is not in use'],
    [{ unversionedPaths: '/' }, {}, 'unversionedPaths: got "/"; use true or false'],
    [{ onRequest: 'log' }, {}, 'onRequest: got "log"; give a function'],
  ])('that are wrong are told: %j %j', (more, change, problem) => {
    const told = problems({ ...more, sources: [{ ...source, ...change }] })
    expect(told).toEqual([expect.stringContaining(problem)])
  })
})
