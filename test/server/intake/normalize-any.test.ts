import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { IpPolicy } from '../../../server/intake/ip-policy.js'
import { normalize } from '../../../server/intake/normalize.js'
import { isJsonObject, type JsonObject } from '../../../server/json-object.js'
import { jsonTexts } from '../../plugin/json/json-texts.js'
import { scannedBatch, scannedEvent } from './scanned.js'
import { parseDigits, specified } from './specification.js'

const RECEIVED = '2026-01-02T03:04:05.678Z'
const DEVICE = { ip: '203.0.113.9', userAgent: 'Browser "8" é', isBrowser: true }

interface How {
  readonly policy?: IpPolicy
  readonly isBrowser?: boolean
}

/** Holds what is made of each event to the specification, to the digit. */
function expectSpecified(text: string, isBatch: boolean, { policy = 'keep', isBrowser = false }: How = {}) {
  const sender = { ...DEVICE, isBrowser }
  const around = { receivedAt: RECEIVED, sender, newId: () => 'new-id' }
  const parsed = parseDigits(text.replace(/^\ufeff/, '')) as JsonObject & { batch: unknown[] }
  const { batch, ...shared } = parsed
  const scanned = isBatch ? scannedBatch(text) : { events: [scannedEvent(text)], shared: undefined }
  const given = isBatch ? batch : [parsed]
  scanned.events.forEach((event, i) => {
    const own = given[i]
    expect(event.isObject).toBe(isJsonObject(own))
    if (!isJsonObject(own)) return
    const made = normalize(
      event,
      'track',
      { id: 'src "1"', ip: policy, timestamps: 'segment' },
      { ...around, shared: scanned.shared },
    )
    const line = made.toLine().toString()
    expect(line.indexOf('\n')).toBe(line.length - 1)
    expect(line).not.toContain('\r')
    const spec = specified(own, 'track', {
      ...around,
      shared: isBatch ? shared : {},
      policy,
      projectId: 'src "1"',
    })
    expect(parseDigits(line)).toEqual(JSON.parse(JSON.stringify(spec)))
    expect(made.messageId).toEqual((spec as JsonObject)['messageId'])
    expectNoRepeatedKey(line)
  })
}

/** JSON.parse and back makes one of keys that come twice, and keeps all else of a compact text without numbers. */
function expectNoRepeatedKey(line: string) {
  const compact = (text: string) => JSON.stringify(parseDigits(text)).length
  const tokens = line.match(/"(?:[^"\\]|\\.)*"\s*:/g)?.length ?? 0
  const keys = (value: unknown): number =>
    typeof value !== 'object' || value === null
      ? 0
      : (Array.isArray(value) ? 0 : Object.keys(value).length) +
        Object.values(value).reduce((sum: number, it) => sum + keys(it), 0)
  expect(compact(line)).toBeGreaterThan(0)
  expect(tokens).toBe(keys(parseDigits(line)))
}

const single = (text: string, how?: How) => expectSpecified(text, false, how)
const batched = (text: string, how?: How) => expectSpecified(text, true, how)

const EVENT = '{"type":"track","event":"E","userId":"u1","messageId":"m1"}'

describe('the line of an event', () => {
  it('is the bytes that came, with what normalisation adds after them', () => {
    const text =
      '{ "event":"Ünï\\u00e9 \\" \\\\",  "userId" : "u1", "properties":{"a":[1.0,12345678901234567890]}}'
    const sender = { ip: undefined, userAgent: undefined, isBrowser: false }
    const around = { receivedAt: RECEIVED, sender, newId: () => 'new-id' }
    const made = normalize(
      scannedEvent(text),
      'track',
      { id: 'src "1"', ip: 'keep', timestamps: 'segment' },
      around,
    )
    expect(made.toLine().toString()).toBe(
      '{ "event":"Ünï\\u00e9 \\" \\\\",  "userId" : "u1", "properties":{"a":[1.0,12345678901234567890]}' +
        ',"type":"track","messageId":"new-id","channel":"server","version":2,"projectId":"src \\"1\\""' +
        ',"originalTimestamp":"2026-01-02T03:04:05.678Z","timestamp":"2026-01-02T03:04:05.678Z"' +
        ',"receivedAt":"2026-01-02T03:04:05.678Z"}\n',
    )
  })

  it.each([
    ['nothing to take out', EVENT],
    [
      'a write key, a version and times to set',
      '{"writeKey":"k","a":1,"version":1,"sentAt":"x","projectId":null}',
    ],
    ['a write key last', '{"a":1 , "writeKey" : "k" }'],
    ['a write key between', '{"a":1,"writeKey":{"x":[1,2]},"b":2}'],
    ['only what is taken out', '{"writeKey":"k"}'],
    ['nothing at all', '{ }'],
    ['white space of its own', '{\t"a" : [ 1 , 2 ] , "b" : { } }'],
    ['escapes and surrogates', '{"a":"\\ud800\\"\\\\","b\\"":"\\u0000\\\\\\""}'],
    ['a __proto__', '{"__proto__":{"a":1},"a":{"__proto__":2}}'],
    ['a byte-order mark before it', `\ufeff${EVENT}`],
    ['a key that comes twice', '{"a":1,"a":2}'],
    ['a write key that comes twice, once with escapes', '{"writeKey":"a","w\\u0072iteKey":"b","c":1}'],
    ['a write key with escapes', '{"w\\u0072iteKey":"b"}'],
    ['a messageId that comes twice', '{"messageId":"a","messageId":"b"}'],
    ['keys that come twice at depth', '{"properties":{"price":1,"x":[{"q":1,"q":2}],"price":2}}'],
    ['line breaks', '{"a":1,\n"b":[2,\r3]}'],
    ['numbers that JavaScript cannot hold', '{"a":[1e400,-0,-0.0,9007199254740993,1.2345678E7,1e-400,0.10]}'],
    ['a very long number', `{"a":1${'0'.repeat(400)}}`],
    ['numbers as IDs', '{"messageId":1541815603606036480,"userId":9007199254740993}'],
    ['a number beyond a double as its ID', '{"messageId":1e999}'],
    ['deep nesting', `{"a":${'['.repeat(900)}${']'.repeat(900)}}`],
    ['numbers as times', '{"timestamp":1767322800000.0,"sentAt":1767322800}'],
    ['a write key and a sentAt to remove, last', '{"a":1 , "writeKey":"k" , "sentAt":"soon" }'],
    ['a sentAt and a write key to remove, last', '{"a":1,"sentAt":[1],"writeKey":"k"}'],
    ['only members to remove', '{"sentAt":"soon","writeKey":"k"}'],
    ['objects as times', '{"timestamp":{"a":1},"sentAt":[1],"originalTimestamp":{"b":2.0}}'],
  ])('is as specified with %s', (_what, text) => single(text))

  it('is UTF-8 where the body is not', () => {
    const event = scannedEvent(Buffer.from('{"a":"\xff","b":"\xe9"}', 'latin1'))
    const around = { receivedAt: RECEIVED, sender: DEVICE, newId: () => 'new-id' }
    const made = normalize(event, 'track', { id: 'src', ip: 'keep', timestamps: 'segment' }, around)
    expect(made.toJSON()).toMatchObject({ a: '\ufffd', b: '\ufffd' })
  })

  it('is read back as the event', () => {
    const around = { receivedAt: RECEIVED, sender: DEVICE, newId: () => 'new-id' }
    const made = normalize(
      scannedEvent(EVENT),
      'track',
      { id: 'src', ip: 'keep', timestamps: 'segment' },
      around,
    )
    expect(made.toLine()).toBe(made.toLine())
    expect(made.toJSON()).toEqual(JSON.parse(made.toLine().toString()))
  })
})

describe('the context in the line', () => {
  it.each([
    '{"context":{"a":1}}',
    '{"context":{ }}',
    '{"context":{"userAgent":"own"},"b":1}',
    '{"a":1,"context":{"ip":"198.51.100.1"}}',
    '{"a":1,"context":{"b":1,"ip":"198.51.100.1"}}',
    '{"a":1,"context":{"ip":"198.51.100.1","b":1}}',
    '{"context":{"ip":"203.0.113.77","ip":"203.0.113.0"}}',
    '{"context":{"ip":"203.0.113.0","\\u0069p":"203.0.113.77"}}',
    '{"context":{"ip":"203.0.113.77"},"context":{"ip":"203.0.113.0"}}',
    '{"context":{"ip":[1.0,{"v4":"198.51.100.1"}]}}',
    '{"context":{"ip":1.0,"userAgent":2.0}}',
    '{"context":{"ip":"::ffff:198.51.100.7"}}',
    '{"b":1}',
    '{"context":null}',
    '{"context":[]}',
    '{"context":[ ],"b":1}',
    '{"context":[1]}',
    '{"context":"odd"}',
    '{"context":{"ip":null,"userAgent":null}}',
    '{"cont\\u0065xt":{}}',
    '{"context":{"library":{"name":"analytics.js"}}}',
    '{"context":{"library":{"name":"analytics.js"},"library":{"name":"analytics-node"}}}',
    '{"channel":"server","context":{"ip":"198.51.100.1"}}',
  ])('is as specified: %s', (text) => {
    for (const policy of ['keep', 'truncate', 'drop'] as const)
      for (const isBrowser of [true, false]) single(text, { policy, isBrowser })
  })

  it.each([
    '{"context":{"a":1},"integrations":{"All":true},"batch":[{"a":1},{"context":{"b":2},"integrations":{"X":1}}]}',
    '{"context":{"ip":"198.51.100.1","a":1},"batch":[{},{"context":{"ip":"198.51.100.2"}},{"context":{"a":2.0}}]}',
    '{"context":{"ip":1.50,"userAgent":{"a":1.0}},"batch":[{},{"context":{}},{"context":{"ip":null}}]}',
    '{"context":{"a":1},"batch":[{"context":[]},{"context":"odd"},{"context":null},{"integrations":[]}]}',
    '{"context":{"library":{"name":"analytics.js"}},"batch":[{"context":{"library":{}}},{"context":{"x":1}}]}',
    '{"integrations":{"All":false},"batch":[{"integrations":[]},{"integrations":{}},{"integrations":{"All":true}}]}',
    '{"context":{"a":1,"a":2},"batch":[{"context":{"b":1}}]}',
    '{"context":{},"integrations":{},"batch":[{},{"context":{},"integrations":{"a":1}}]}',
    '{"sentAt":1767322800000.0,"batch":[{"timestamp":"2026-01-02T03:04:05Z"},{"sentAt":null},{"sentAt":"x"}]}',
  ])('takes what the batch says: %s', (text) => {
    for (const policy of ['keep', 'truncate', 'drop'] as const)
      for (const isBrowser of [true, false]) batched(text, { policy, isBrowser })
  })
})

describe('a batch', () => {
  it.each([
    [
      'odd elements',
      `{"sentAt":"${RECEIVED}",\n"batch": [${EVENT},\n 1, "x", null, [{}], {"a":1e400}, {"a":1,"a":2} ,${EVENT}]}`,
    ],
    ['two of them', '{"batch":[{"a":1}],"x":{"batch":[{"a":3}]},"batch":[{"a":2}]}'],
    ['two of them, one with escapes', '{"batch":[{"a":1}],"b\\u0061tch":[{"a":2},{"a":3}]}'],
    ['its key in escapes', '{"b\\u0061tch":[{"a":2}]}'],
    ['a batch in an event', '{"batch":[{"batch":[{"a":1}],"b":1}]}'],
  ])('is found: %s', (_what, text) => batched(text))
})

const KEYS = [
  ...[
    'type',
    'messageId',
    'context',
    'integrations',
    'channel',
    'version',
    'projectId',
    'timestamp',
    'ip',
    'userAgent',
  ],
  ...[
    'originalTimestamp',
    'sentAt',
    'receivedAt',
    'writeKey',
    '__proto__',
    'c\\u006fntext',
    'library',
    'name',
    'batch',
  ],
]
const anyJson = jsonTexts(KEYS)
const anyObject = anyJson.filter((text) => text.startsWith('{'))
const how = fc.record({
  policy: fc.constantFrom<IpPolicy>('keep', 'truncate', 'drop'),
  isBrowser: fc.boolean(),
})

describe('any JSON', () => {
  it('is as specified: one event', () => {
    fc.assert(fc.property(anyObject, how, single), { numRuns: 4_000 })
  })

  it('is as specified: a batch', () => {
    const member = fc.oneof(
      fc.constantFrom('"sentAt":"2025-12-31T00:00:00.000Z"', '"a":[{"batch":[{}]}]'),
      anyObject.map((text) => `"context":${text}`),
      anyObject.map((text) => `"integrations":${text}`),
    )
    fc.assert(
      fc.property(
        fc.array(anyJson, { maxLength: 5 }),
        fc.array(member, { maxLength: 3 }),
        how,
        (events, more, how) => batched(`{${[...more, `"batch": [${events.join(' , ')}]`].join(',')}}`, how),
      ),
      { numRuns: 3_000 },
    )
  })
})
