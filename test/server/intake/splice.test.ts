import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { BodyText } from '../../../server/intake/body-text.js'
import { IncomingEvent } from '../../../server/intake/incoming-event.js'
import type { IpPolicy } from '../../../server/intake/ip-policy.js'
import { changesOf, type Envelope, normalized } from '../../../server/intake/normalize.js'
import { splice } from '../../../server/intake/splice.js'
import { isJsonObject, type JsonObject } from '../../../server/json-object.js'

const envelope = (over: Partial<Envelope> = {}): Envelope => ({
  shared: {},
  receivedAt: '2026-01-02T03:04:05.678Z',
  sender: { ip: '203.0.113.9', userAgent: 'Browser "8" é', isBrowser: false },
  newId: () => 'new-id',
  ...over,
})

interface Case {
  readonly bytes: Buffer
  readonly isBatch: boolean
  readonly events: readonly unknown[]
  readonly shared: NonNullable<Envelope['shared']>
}

function single(text: string): Case {
  const bytes = Buffer.from(text)
  return { bytes, isBatch: false, events: [JSON.parse(text)], shared: {} }
}

function batch(text: string): Case {
  const { batch: events, ...shared } = JSON.parse(text) as { batch: unknown[] } & Case['shared']
  return { bytes: Buffer.from(text), isBatch: true, events, shared }
}

interface How {
  readonly policy?: IpPolicy
  readonly over?: Partial<Envelope>
}

/** The line of each event that is an object, spliced where that can be, and what the slow way makes of it. */
function lines({ bytes, isBatch, events, shared }: Case, { policy = 'keep', over = {} }: How = {}) {
  const text = new BodyText(bytes, isBatch)
  return events.filter(isJsonObject).map((event) => {
    const changes = changesOf(
      event,
      'track',
      { id: 'src "1"', ip: policy, timestamps: 'segment' as const },
      envelope({ shared, ...over }),
    )
    const index = events.indexOf(event)
    const spans = text.spans?.[index]
    const line = new IncomingEvent(event, changes, text, index).toLine()
    return {
      line: Buffer.from(line).toString(),
      slow: normalized(event, changes),
      isSpliced: spans !== undefined && splice(event, changes, spans, text) !== undefined,
    }
  })
}

function expectSame(given: Case, how?: How) {
  for (const { line, slow } of lines(given, how)) {
    expect(line.indexOf('\n')).toBe(line.length - 1)
    expect(line).not.toContain('\r')
    // What cannot be told apart in JSON is not told apart here: both are written once more.
    expect(JSON.parse(line)).toStrictEqual(JSON.parse(JSON.stringify(slow)))
  }
}

const isSpliced = (given: Case, how?: How) => lines(given, how).map((it) => it.isSpliced)

const EVENT = '{"type":"track","event":"E","userId":"u1","messageId":"m1"}'

describe('an event that came as bytes', () => {
  it('is written of them, with what normalisation adds after', () => {
    const text =
      '{ "event":"Ünï\\u00e9 \\" \\\\",  "userId" : "u1", "properties":{"a":[1.0,12345678901234567890]}}'
    const [only] = lines(single(text))
    expect(only?.line).toBe(
      '{ "event":"Ünï\\u00e9 \\" \\\\",  "userId" : "u1", "properties":{"a":[1.0,12345678901234567890]}' +
        ',"type":"track","messageId":"new-id","channel":"server","version":2,"projectId":"src \\"1\\""' +
        ',"originalTimestamp":"2026-01-02T03:04:05.678Z","timestamp":"2026-01-02T03:04:05.678Z"' +
        ',"receivedAt":"2026-01-02T03:04:05.678Z"}\n',
    )
  })

  it.each([
    ['nothing to take out', EVENT],
    [
      'a write key, a version and a time to take out',
      `{"writeKey":"k","a":1,"version":1,"sentAt":"x","projectId":null}`,
    ],
    ['only what is taken out', '{"writeKey":"k"}'],
    ['nothing at all', '{}'],
    ['a sentAt that is no time', '{"sentAt":"soon","event":"E"}'],
    ['white space of its own', '{\t"a" : [ 1 , 2 ] , "b" : { } }'],
    ['escapes and surrogates', '{"a":"\\ud800\\"\\\\","b\\"":"\\u0000\\\\\\""}'],
    ['a __proto__', '{"__proto__":{"a":1},"a":{"__proto__":2}}'],
    ['a byte-order mark before it', `\ufeff${EVENT}`],
  ])('is spliced with %s', (_what, text) => {
    const given = { ...single(text.replace(/^\ufeff/, '')), bytes: Buffer.from(text) }
    expectSame(given)
    expect(isSpliced(given)).toEqual([true])
  })

  it.each([
    ['a key that comes twice', '{"a":1,"a":2}'],
    ['a key that comes twice, once with escapes', '{"writeKey":"a","w\\u0072iteKey":"b"}'],
    ['a key to take out that has escapes', '{"w\\u0072iteKey":"b"}'],
    ['a line break', '{"a":1,\n"b":2}'],
    ['a line break within', '{"a":[1,\r2]}'],
    ['a number too large', '{"a":[1e400]}'],
    ['a number too long', `{"a":1${'0'.repeat(400)}}`],
    ['a zero below zero', '{"a":-0}'],
    ['deep nesting', `{"a":${'['.repeat(300)}${']'.repeat(300)}}`],
  ])('is stringified with %s', (_what, text) => {
    expectSame(single(text))
    expect(isSpliced(single(text))).toEqual([false])
  })

  it('is stringified where the body is not UTF-8', () => {
    const bytes = Buffer.from('{"a":"\xff"}', 'latin1')
    const given = { ...single('{}'), bytes, events: [JSON.parse(bytes.toString())] }
    expectSame(given)
    expect(isSpliced(given)).toEqual([false])
  })

  it('is written the same a second time, and read back from its line', () => {
    const event = JSON.parse(EVENT) as JsonObject
    const changes = changesOf(event, 'track', { id: 'src', ip: 'keep', timestamps: 'segment' }, envelope())
    const incoming = new IncomingEvent(event, changes, new BodyText(Buffer.from(EVENT), false), 0)
    const before = incoming.toJSON()
    const line = incoming.toLine()
    expect(incoming.toLine()).toBe(line)
    expect(incoming.toJSON()).toEqual(before)
  })
})

describe('the context of an event that came as bytes', () => {
  const client = { over: { sender: { ip: '203.0.113.9', userAgent: 'Browser "8" é', isBrowser: true } } }

  it.each([
    ['{"context":{"a":1}}', true],
    ['{"context":{ }}', true],
    ['{"context":{"userAgent":"own"},"b":1}', true],
    ['{"a":1,"context":{"ip":"198.51.100.1"}}', true],
    ['{"b":1}', true],
    ['{"context":null}', true],
    ['{"context":"odd"}', true],
    ['{"context":{"ip":null,"userAgent":null}}', true],
    ['{"cont\\u0065xt":{}}', false],
    ['{"context":{"\\u0069p":"198.51.100.1"}}', true],
  ])('gets what the request tells: %s', (text, spliced) => {
    for (const policy of ['keep', 'truncate', 'drop'] as const)
      expectSame(single(text), { ...client, policy })
    expect(isSpliced(single(text), client)).toEqual([spliced])
  })
})

describe('the events of a batch', () => {
  it('are each spliced or stringified', () => {
    const text = `{"sentAt":"2026-01-02T03:04:05.678Z",\n"batch": [${EVENT},\n 1, "x", null, [{}], {"a":1e400}, {"a":1,"a":2} ,${EVENT}]}`
    expectSame(batch(text))
    expect(isSpliced(batch(text))).toEqual([true, false, false, true])
  })

  it('take what the batch says', () => {
    const text = `{"context":{"a":1},"integrations":{"All":true},"batch":[{"a":1},{"context":{"b":2},"integrations":{"X":1}}]}`
    expectSame(batch(text))
    expect(isSpliced(batch(text))).toEqual([true, true])
  })

  it('are those of the last `batch`', () => {
    const text = `{"batch":[{"a":1}],"x":{"batch":[{"a":3}]},"batch":[{"a":2}]}`
    expectSame(batch(text))
    expect(isSpliced(batch(text))).toEqual([true])
  })

  it.each([
    ['once with escapes', `{"batch":[{"a":1}],"b\\u0061tch":[{"a":2}]}`],
    ['only with escapes', `{"b\\u0061tch":[{"a":2}]}`],
  ])('are stringified where the key stands %s', (_where, text) => {
    expectSame(batch(text))
    expect(isSpliced(batch(text))).toEqual([false])
  })
})

/** JSON text of every kind: its own white space, escapes, numbers, repeated keys, keys that normalisation sets. */
const { value: jsonText } = fc.letrec<{ value: string; object: string; array: string }>((tie) => {
  const space = fc.constantFrom('', '', '', ' ', '\t', '\n', ' \r\n ')
  const unit = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 6 }).map((text) => JSON.stringify(text).slice(1, -1)),
    fc.constantFrom(
      '\\u0061',
      '\\"',
      '\\\\',
      '\\/',
      '\\ud83d\\ude00',
      '\\ud800',
      '\u2028',
      'é',
      '{',
      '}',
      '[',
      ',',
    ),
  )
  const text = fc.array(unit, { maxLength: 4 }).map((units) => `"${units.join('')}"`)
  const known = fc.constantFrom(
    ...['type', 'messageId', 'context', 'integrations', 'channel', 'version', 'projectId', 'timestamp', 'ip'],
    ...['originalTimestamp', 'sentAt', 'receivedAt', 'writeKey', '__proto__', 'userAgent', 'c\\u006fntext'],
  )
  const key = fc.oneof(
    known.map((name) => `"${name}"`),
    text,
  )
  const number = fc.oneof(
    fc.constantFrom('0', '-0', '-0.0', '1e400', '-1E+5', '1.50', '12345678901234567890', '2e-7', '-1'),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((it) => JSON.stringify(it)),
    fc.integer().map(String),
  )
  const joined = (parts: readonly string[], [a, b]: readonly string[]) => parts.join(`${a},${b}`)
  const spaces = fc.tuple(space, space)
  const member = fc.tuple(key, space, space, tie('value')).map(([k, a, b, v]) => `${k}${a}:${b}${v}`)
  return {
    value: fc.oneof(
      { maxDepth: 4 },
      fc.oneof(fc.constantFrom('true', 'false', 'null', '"2025-12-31T00:00:00.000Z"'), number, text),
      tie('object'),
      tie('array'),
    ),
    object: fc
      .tuple(fc.array(member, { maxLength: 5 }), spaces)
      .map(([members, around]) => `{${around[0]}${joined(members, around)}${around[1]}}`),
    array: fc
      .tuple(fc.array(tie('value'), { maxLength: 4 }), spaces)
      .map(([values, around]) => `[${around[0]}${joined(values, around)}${around[1]}]`),
  }
})
const objectText = jsonText.filter((text) => text.startsWith('{'))
const how = fc.record({
  policy: fc.constantFrom<IpPolicy>('keep', 'truncate', 'drop'),
  over: fc.boolean().map((isBrowser) => ({ sender: { ip: '203.0.113.9', userAgent: 'A', isBrowser } })),
})

describe('any JSON', () => {
  it('means the same spliced and stringified: one event', () => {
    fc.assert(
      fc.property(objectText, how, (text, how) => expectSame(single(text), how)),
      { numRuns: 2_000 },
    )
  })

  it('means the same spliced and stringified: a batch', () => {
    const members = fc.constantFrom(
      '"sentAt":"2025-12-31T00:00:00.000Z"',
      '"context":{"b":{}}',
      '"a":[{"batch":[{}]}]',
    )
    fc.assert(
      fc.property(
        fc.array(jsonText, { maxLength: 5 }),
        fc.array(members, { maxLength: 3 }),
        how,
        (events, more, how) =>
          expectSame(batch(`{${[...more, `"batch": [${events.join(' , ')}]`].join(',')}}`), how),
      ),
      { numRuns: 1_000 },
    )
  })

  it('is mostly spliced, or these tests would show little', () => {
    const texts = fc.sample(objectText, { numRuns: 300, seed: 1 })
    const spliced = texts.filter((text) => isSpliced(single(text))[0])
    expect(spliced.length).toBeGreaterThan(30)
  })
})
