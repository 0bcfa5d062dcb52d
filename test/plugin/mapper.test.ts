import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { FirehoseError } from '../../plugin/errors.js'
import type { SegmentEvent } from '../../plugin/event.js'
import { createMapper, DESTINATION_NAME, type MappedRecord } from '../../plugin/mapper.js'
import type { DestinationSettings } from '../../plugin/settings/settings.js'

const rows = [
  { event: 'User Registered', stream: 'new_users' },
  { event: 'page', stream: 'page_views' },
  { event: 'track', stream: 'tracked' },
  { event: ' Order Completed\t', stream: ['orders', 'finance'] },
  { event: 'PAGE', stream: 'audit' },
  { event: 'order completed', stream: 'orders' },
]
const rowsWithAll = [rows[0], { event: '*', stream: 'everything' }, ...rows.slice(1)] as typeof rows

function mapperFor(mappedStreams: DestinationSettings['mappedStreams'], others: object = {}) {
  return createMapper({ mappedStreams, region: 'us-west-2', ...others })
}

function streamsOf(records: readonly MappedRecord[]): string[] {
  return records.map((record) => record.stream)
}

describe('routing', () => {
  const all = mapperFor(rows)
  const withAll = mapperFor(rowsWithAll)
  const mostSpecific = mapperFor(rowsWithAll, { routing: 'most-specific' })

  it.each<[string, object, string[], string[], string[]]>([
    // event, streams without a row for all, with one, and with the most specific only
    [
      'an event by name',
      { type: 'x', event: 'User Registered' },
      ['new_users'],
      ['new_users', 'everything'],
      ['new_users'],
    ],
    [
      'a track event by name and type',
      { type: 'track', event: 'User Registered' },
      ['new_users', 'tracked'],
      ['new_users', 'everything', 'tracked'],
      ['new_users'],
    ],
    [
      'a name in another case',
      { type: 'x', event: 'uSER rEGISTERED' },
      ['new_users'],
      ['new_users', 'everything'],
      ['new_users'],
    ],
    [
      'a name with space around',
      { type: 'x', event: '\n User Registered ' },
      ['new_users'],
      ['new_users', 'everything'],
      ['new_users'],
    ],
    [
      'a name with other space inside',
      { type: 'x', event: 'User  Registered' },
      [],
      ['everything'],
      ['everything'],
    ],
    [
      'a type, in every row that names it',
      { type: 'page' },
      ['page_views', 'audit'],
      ['everything', 'page_views', 'audit'],
      ['page_views', 'audit'],
    ],
    [
      'a type in another case',
      { type: ' Page' },
      ['page_views', 'audit'],
      ['everything', 'page_views', 'audit'],
      ['page_views', 'audit'],
    ],
    [
      'a stream named twice, once',
      { type: 'x', event: 'Order Completed' },
      ['orders', 'finance'],
      ['everything', 'orders', 'finance'],
      ['orders', 'finance'],
    ],
    [
      'in the order of rows',
      { type: 'track', event: 'Order Completed' },
      ['tracked', 'orders', 'finance'],
      ['everything', 'tracked', 'orders', 'finance'],
      ['orders', 'finance'],
    ],
    [
      'a track event named page',
      { type: 'track', event: 'page' },
      ['page_views', 'tracked', 'audit'],
      ['everything', 'page_views', 'tracked', 'audit'],
      ['page_views', 'audit'],
    ],
    [
      'a page by its type, whatever its member `event` says',
      { type: 'Page', event: 'User Registered' },
      ['page_views', 'audit'],
      ['everything', 'page_views', 'audit'],
      ['page_views', 'audit'],
    ],
    [
      'an identify by its type alone',
      { type: 'identify', event: 'Order Completed' },
      [],
      ['everything'],
      ['everything'],
    ],
    ['an event that no row names', { type: 'identify' }, [], ['everything'], ['everything']],
    ['an event without a type', {}, [], ['everything'], ['everything']],
    [
      'a name that is a number',
      { type: 'track', event: 5 },
      ['tracked'],
      ['everything', 'tracked'],
      ['tracked'],
    ],
    [
      'a name that is an object',
      { type: 'track', event: { toString: () => 'page' } },
      ['tracked'],
      ['everything', 'tracked'],
      ['tracked'],
    ],
    [
      'a name that is null',
      { type: 'track', event: null },
      ['tracked'],
      ['everything', 'tracked'],
      ['tracked'],
    ],
    ['a type that is an array', { type: ['page'] }, [], ['everything'], ['everything']],
    ['an event named *', { type: 'x', event: '*' }, [], ['everything'], ['everything']],
  ])('%s', (_name, event, expected, expectedWithAll, expectedMostSpecific) => {
    expect(streamsOf(all(event))).toEqual(expected)
    expect(streamsOf(withAll(event))).toEqual(expectedWithAll)
    expect(streamsOf(mostSpecific(event))).toEqual(expectedMostSpecific)
  })

  it.each([[[]], [{}]])('by the empty mapping %j goes nowhere', (mappedStreams) => {
    const mapper = mapperFor(mappedStreams)
    expect(mapper.explain({ type: 'track', event: 'a' })).toEqual({ records: [], verdict: 'unmapped' })
    expect(mapper.streams).toEqual([])
  })

  it('by an object is the same as by rows', () => {
    const mapper = mapperFor({
      'User Registered': 'new_users',
      page: ['page_views', 'audit'],
      '*': 'everything',
    })
    expect(streamsOf(mapper({ type: 'page' }))).toEqual(['page_views', 'audit', 'everything'])
    expect(streamsOf(mapper({ type: 'track', event: 'user registered' }))).toEqual([
      'new_users',
      'everything',
    ])
  })

  it('reduces an ARN to its name, and sends to the same stream once', () => {
    const arn = 'arn:aws:firehose:us-west-2:123456789012:deliverystream/page_views'
    const mapper = mapperFor([
      { event: 'page', stream: arn },
      { event: '*', stream: 'page_views' },
    ])
    expect(streamsOf(mapper({ type: 'page' }))).toEqual(['page_views'])
  })

  it('tells streams of different case apart', () => {
    expect(streamsOf(mapperFor({ page: ['Views', 'views'] })({ type: 'page' }))).toEqual(['Views', 'views'])
  })

  it.each(['constructor', '__proto__', 'toString'])('does not take %s for a row', (name) => {
    expect(streamsOf(all({ type: name, event: name }))).toEqual([])
    expect(streamsOf(mapperFor([{ event: name, stream: 'odd' }])({ event: name }))).toEqual(['odd'])
  })

  it('tells all streams, each once, in row order', () => {
    expect(withAll.streams).toEqual([
      'new_users',
      'everything',
      'page_views',
      'tracked',
      'orders',
      'finance',
      'audit',
    ])
  })

  it('costs with 10,000 rows what it costs with ten', () => {
    const events = [
      { type: 'track', event: 'event 3' },
      { type: 'page' },
      { type: 'identify', event: 'no such' },
      {},
    ]
    const workWith = (count: number, routing: string) => {
      const many = Array.from({ length: count }, (_, i) => ({ event: `event ${i}`, stream: `stream_${i}` }))
      const mapper = mapperFor([...many, { event: 'page', stream: 'a' }, { event: '*', stream: 'b' }], {
        routing,
      })
      return countWork(() => {
        for (const event of events) mapper(event)
      })
    }
    for (const routing of ['all', 'most-specific']) {
      expect(workWith(10, routing)).toBeGreaterThan(0)
      expect(workWith(10_000, routing)).toBe(workWith(10, routing))
    }
  })
})

describe('integrations', () => {
  const mapper = mapperFor({ '*': 'everything' })
  const own = DESTINATION_NAME

  it.each<[unknown, 'mapped' | 'off']>([
    [undefined, 'mapped'],
    [null, 'mapped'],
    [{}, 'mapped'],
    ['none', 'mapped'],
    [false, 'mapped'],
    [[], 'mapped'],
    [{ All: true }, 'mapped'],
    [{ All: false }, 'off'],
    [{ All: null }, 'mapped'],
    [{ All: 0 }, 'mapped'],
    [{ [own]: true }, 'mapped'],
    [{ [own]: false }, 'off'],
    [{ [own]: {} }, 'mapped'],
    [{ [own]: null }, 'mapped'],
    [{ [own]: undefined }, 'mapped'],
    [{ All: true, [own]: false }, 'off'],
    [{ All: false, [own]: true }, 'mapped'],
    [{ All: false, [own]: { some: 'option' } }, 'mapped'],
    [{ All: false, [own]: null }, 'off'],
    [{ All: false, [own]: undefined }, 'off'],
    [{ All: false, [own]: '' }, 'off'],
    [{ All: false, 'Google Analytics': true }, 'off'],
    [{ 'Google Analytics': false }, 'mapped'],
    [{ [own.toLowerCase()]: false }, 'mapped'],
  ])('%j: %s', (integrations, verdict) => {
    const mapping = mapper.explain({ type: 'track', event: 'a', integrations })
    expect(mapping.verdict).toBe(verdict)
    expect(mapping.records).toHaveLength(verdict === 'off' ? 0 : 1)
  })

  it('keep an event out before transform sees it', () => {
    let seen = 0
    const transform = (event: SegmentEvent) => {
      seen++
      return event
    }
    const counting = mapperFor({ '*': 'a' }, { transform })
    counting({ type: 'page', integrations: { All: false } })
    expect(seen).toBe(0)
    counting({ type: 'page' })
    expect(seen).toBe(1)
  })
})

describe('a record', () => {
  it('is the event as JSON and one newline, in UTF-8, byte for byte', () => {
    const mapper = mapperFor({ track: 'a' })
    const [record] = mapper({
      type: 'track',
      event: 'Grüße 🎉\n\u2028',
      properties: { b: 1, a: [null, 1.5] },
    } as SegmentEvent)
    expect(Buffer.from(record?.data as Uint8Array).toString('hex')).toBe(
      Buffer.concat([
        Buffer.from('{"type":"track","event":"Gr'),
        Buffer.from([0xc3, 0xbc, 0xc3, 0x9f]),
        Buffer.from('e '),
        Buffer.from([0xf0, 0x9f, 0x8e, 0x89]),
        Buffer.from('\\n'),
        Buffer.from([0xe2, 0x80, 0xa8]),
        Buffer.from('","properties":{"b":1,"a":[null,1.5]}}'),
        Buffer.from([0x0a]),
      ]).toString('hex'),
    )
  })

  it('keeps half a surrogate pair as an escape', () => {
    const [record] = mapperFor({ '*': 'a' })({ event: '\ud83c' })
    expect(textOf(record)).toBe('{"event":"\\ud83c"}\n')
  })

  it('is what toJSON makes of the event', () => {
    const event = { type: 'page', at: new Date(0), toJSON: () => ({ only: 'this' }) }
    expect(textOf(mapperFor({ page: 'a' })(event)[0])).toBe('{"only":"this"}\n')
    expect(textOf(mapperFor({ '*': 'a' })({ at: new Date(0) } as SegmentEvent)[0])).toBe(
      '{"at":"1970-01-01T00:00:00.000Z"}\n',
    )
  })
})

describe('an event that is not JSON', () => {
  const mapper = mapperFor({ page: ['a', 'b'] })
  const cycle: { type: string; self?: unknown } = { type: 'page' }
  cycle.self = cycle
  const deep = { type: 'page', inner: nested(100_000) }

  it.each<[string, object, RegExp]>([
    ['a BigInt', { type: 'page', count: 5n }, /BigInt/],
    ['a cycle', cycle, /circular/],
    ['nesting without end', deep, /stack/],
    ['a toJSON that throws', { type: 'page', toJSON: () => fail(new Error('no\nJSON')) }, /\(no\);/],
    ['a toJSON that throws no error', { type: 'page', toJSON: () => fail('text') }, /it throws/],
    [
      'a toJSON that throws an odd error',
      { type: 'page', toJSON: () => fail(Object.assign(new Error(), { message: 5 })) },
      /\(5\)/,
    ],
    [
      'a toJSON that throws what cannot be looked at',
      { type: 'page', toJSON: () => fail(hostile()) },
      /it throws/,
    ],
    ['a toJSON that gives a number', { type: 'page', toJSON: () => 5 }, /no object of it/],
    ['a toJSON that gives nothing', { type: 'page', toJSON: () => undefined }, /no JSON value/],
    [
      'a getter that throws',
      Object.defineProperty({ type: 'page' }, 'x', { enumerable: true, get: () => fail(new Error('got')) }),
      /\(got\)/,
    ],
  ])('by %s is a failed record for each of its streams', (_name, event, reason) => {
    const records = mapper(event)
    expect(streamsOf(records)).toEqual(['a', 'b'])
    for (const { data, error } of records) {
      expect(data).toHaveLength(0)
      expect(error).toBeInstanceOf(FirehoseError)
      expect(error?.code).toBe('ERR_UNSERIALIZABLE')
      expect(error?.message).toMatch(
        /^The event cannot be written as JSON \(.+\); send only JSON values, BigInts as strings$/,
      )
      expect(error?.message).toMatch(reason)
      expect(error?.permanent).toBe(true)
    }
  })

  it('does not hurt the next one', () => {
    mapper({ type: 'page', count: 5n } as SegmentEvent)
    expect(mapper({ type: 'page' }).every(({ error }) => error === undefined)).toBe(true)
  })
})

describe('transform', () => {
  it('gives the record what it returns, and leaves the event as it was', () => {
    const mapper = mapperFor(
      { track: 'a' },
      { transform: (event: SegmentEvent) => ({ ...event, userId: '***' }) },
    )
    const event = Object.freeze({ type: 'track', userId: 'me@example.com' })
    expect(textOf(mapper(event)[0])).toBe('{"type":"track","userId":"***"}\n')
    expect(event.userId).toBe('me@example.com')
  })

  it('comes before routing', () => {
    const mapper = mapperFor({ page: 'a' }, { transform: () => ({ type: 'page' }) })
    expect(streamsOf(mapper({ type: 'track' }))).toEqual(['a'])
  })

  it('drops the event with null', () => {
    const mapper = mapperFor({ '*': 'a' }, { transform: () => null })
    expect(mapper.explain({ type: 'track' })).toEqual({ records: [], verdict: 'dropped' })
  })

  it.each<[string, () => unknown, RegExp]>([
    [
      'throws',
      () => fail(new Error('private')),
      /^`transform` threw on this event; let it return an event or null$/,
    ],
    ['throws what cannot be looked at', () => fail(hostile()), /threw/],
    ['returns undefined', () => undefined, /returned undefined; let it return an event or null$/],
    ['returns text', () => 'text', /returned string/],
    ['returns true', () => true, /returned boolean/],
    ['returns a function', () => () => null, /returned function/],
    ['returns an array', () => [{ type: 'track' }], /returned an array/],
    ['returns a Date', () => new Date(0), /returned a Date/],
    ['returns a Map', () => new Map([['type', 'track']]), /returned a Map/],
    ['is async and rejects', async () => fail(new Error('private')), /returned a promise/],
    ['is async', async () => ({ type: 'track' }), /returned a promise/],
  ])('that %s fails the event with ERR_TRANSFORM', (_name, transform, message) => {
    const { records, verdict } = mapperFor({ '*': ['a', 'b'] }, { transform }).explain({ type: 'track' })
    expect(verdict).toBe('mapped')
    expect(records.map(({ error }) => error?.code)).toEqual(['ERR_TRANSFORM'])
    expect(records[0]?.error?.message).toMatch(message)
    expect(records[0]?.error?.permanent).toBe(true)
  })
})

describe('wrong settings', () => {
  it('throw when the mapper is made', () => {
    expect(() => mapperFor({ page: 'not a stream' })).toThrow(
      expect.objectContaining({
        code: 'ERR_SETTINGS',
        message: expect.stringContaining('mappedStreams.page'),
      }),
    )
  })
})

describe('for any event and table', () => {
  const name = fc.constantFrom(
    'page',
    'Page ',
    'track',
    'User Registered',
    '*',
    'constructor',
    '__proto__',
    'a',
  )
  const stream = fc.constantFrom('a', 'b', 'A', 'constructor', '__proto__', 'x-1_2.3')
  const table = fc.array(
    fc.record({ event: name, stream: fc.oneof(stream, fc.array(stream, { minLength: 1 })) }),
  )
  const routing = fc.constantFrom('all', 'most-specific')
  const jsonEvent = fc.record(
    { type: fc.oneof(name, fc.jsonValue()), event: fc.oneof(name, fc.jsonValue()), rest: fc.jsonValue() },
    { requiredKeys: [] },
  )
  const value = fc.anything({
    withBigInt: true,
    withBoxedValues: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withObjectString: true,
    withSet: true,
    withSparseArray: true,
    withTypedArray: true,
  })
  const anyEvent = fc.oneof(
    value,
    fc.func(value),
    fc.record({ type: fc.oneof(name, value), event: fc.oneof(name, value), integrations: value }),
    fc.record({ type: name, properties: fc.oneof(value, fc.constant(Symbol('a'))), toJSON: fc.func(value) }),
  )
  const poisoned = fc.constantFrom('none', 'event', 'type', 'integrations', 'properties', 'then', 'all')

  it('every routed stream stands in the table, once', () => {
    fc.assert(
      fc.property(table, routing, jsonEvent, (mappedStreams, routing, event) => {
        const mapper = mapperFor(mappedStreams, { routing })
        const streams = streamsOf(mapper(event))
        expect(new Set(streams).size).toBe(streams.length)
        const inTable = mappedStreams.flatMap((row) => row.stream)
        for (const stream of streams) expect(inTable).toContain(stream)
        expect(mapper.streams).toEqual([...new Set(inTable)])
      }),
    )
  })

  it('a row matches exactly where it names the name of a track event, the type or all', () => {
    fc.assert(
      fc.property(table, jsonEvent, (mappedStreams, event) => {
        const isPage = typeof event.type === 'string' && event.type.trim().toLowerCase() === 'page'
        const keys = [isPage ? undefined : event.event, event.type].flatMap((key) =>
          typeof key === 'string' ? [key.trim().toLowerCase()] : [],
        )
        const matching = mappedStreams.filter((row) =>
          ['*', ...keys].includes(row.event.trim().toLowerCase()),
        )
        expect(streamsOf(mapperFor(mappedStreams)(event))).toEqual([
          ...new Set(matching.flatMap((row) => row.stream)),
        ])
      }),
    )
  })

  it('a record parses back to the event', () => {
    fc.assert(
      fc.property(jsonEvent, (event) => {
        const [record] = mapperFor({ '*': 'a' })(event)
        expect(textOf(record).endsWith('\n')).toBe(true)
        expect(textOf(record).indexOf('\n')).toBe(textOf(record).length - 1)
        expect(JSON.parse(textOf(record))).toEqual(JSON.parse(JSON.stringify(event)))
      }),
    )
  })

  it('no event makes it throw, and what is no record is an error', () => {
    const mappers = [
      mapperFor({ '*': ['a', 'b'], page: 'c' }),
      mapperFor({ page: 'c', a: 'd' }, { routing: 'most-specific' }),
      mapperFor({ '*': 'a' }, { transform: (event: SegmentEvent) => ({ ...event }) }),
    ]
    fc.assert(
      fc.property(anyEvent, poisoned, (given, place) => {
        const event = place === 'none' ? given : poison(given, place)
        for (const mapper of mappers) {
          for (const { stream, data, error } of mapper(event as SegmentEvent)) {
            if (error === undefined) {
              expect(mapper.streams).toContain(stream)
              expect(JSON.parse(Buffer.from(data).toString())).toBeDefined()
            } else {
              expect(error).toBeInstanceOf(FirehoseError)
              expect(data).toHaveLength(0)
            }
          }
        }
      }),
      { numRuns: 1_000 },
    )
  })
})

function textOf(record: MappedRecord | undefined): string {
  return Buffer.from(record?.data ?? []).toString()
}

function fail(thrown: unknown): never {
  throw thrown
}

function nested(depth: number): unknown {
  let inner: unknown = null
  for (let i = 0; i < depth; i++) inner = [inner]
  return inner
}

/** The event with a property in which whatever is done throws; or such an event. Made late, as fast-check looks at what it makes. */
function poison(event: unknown, place: string): unknown {
  return place === 'all' ? hostile() : { ...(event as object), [place]: hostile() }
}

/** Whatever is done to it throws. */
function hostile(): object {
  const refuse = () => fail('hands off')
  const handler = {
    get: refuse,
    has: refuse,
    ownKeys: refuse,
    getPrototypeOf: refuse,
    getOwnPropertyDescriptor: refuse,
  }
  return new Proxy({}, handler)
}

/** Look-ups in maps, and elements that arrays are asked to go through, while `act` runs. */
function countWork(act: () => void): number {
  let work = 0
  const undo: (() => void)[] = []
  const watch = (prototype: object, name: PropertyKey, cost: (self: never) => number) => {
    const descriptor = Object.getOwnPropertyDescriptor(prototype, name) as PropertyDescriptor
    Object.defineProperty(prototype, name, {
      ...descriptor,
      value(this: never, ...args: unknown[]) {
        work += cost(this)
        return descriptor.value.apply(this, args)
      },
    })
    undo.push(() => Object.defineProperty(prototype, name, descriptor))
  }
  const size = ({ size }: { size: number }) => size
  const length = ({ length }: { length: number }) => length
  for (const name of ['get', 'has']) watch(Map.prototype, name, () => 1)
  for (const name of ['forEach', 'entries', 'keys', 'values', Symbol.iterator])
    watch(Map.prototype, name, size)
  for (const name of Object.getOwnPropertyNames(Array.prototype)) {
    if (!['length', 'constructor', 'push', 'pop', 'at'].includes(name)) watch(Array.prototype, name, length)
  }
  watch(Array.prototype, Symbol.iterator, length)
  try {
    act()
  } finally {
    for (const restore of undo) restore()
  }
  return work
}
