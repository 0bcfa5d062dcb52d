import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { type Envelope, type NormalizingSource, normalize } from '../../../server/intake/normalize.js'
import { isJsonObject, type JsonObject } from '../../../server/json-object.js'
import { scannedBatch, scannedEvent } from './scanned.js'

const NOW = '2026-01-02T03:04:05.678Z'
const THEN = '2025-12-31T00:00:00.000Z'

const envelope = (): Envelope => ({
  receivedAt: NOW,
  sender: { ip: undefined, userAgent: undefined, isBrowser: false },
  newId: () => 'new-id',
})

const SOURCE = { id: 'src_web', ip: 'keep', timestamps: 'segment' } as const

/** The event of its record, which came alone, or in a batch that says something for all its events. */
function normal(
  event: object,
  shared?: object,
  around: Partial<Envelope> = {},
  source: NormalizingSource = SOURCE,
): JsonObject {
  const batch = scannedBatch(JSON.stringify({ ...shared, batch: [event] }))
  const made =
    shared === undefined
      ? normalize(scannedEvent(JSON.stringify(event)), 'track', source, { ...envelope(), ...around })
      : normalize(batch.events[0] as never, 'track', source, {
          ...envelope(),
          ...around,
          shared: batch.shared,
        })
  return made.toJSON() as JsonObject
}

/** What the envelope says, or adds to. */
const CHANGED: ReadonlySet<string> = new Set([
  'type',
  'messageId',
  'context',
  'integrations',
  'channel',
  'version',
  'projectId',
  'originalTimestamp',
  'sentAt',
  'timestamp',
  'receivedAt',
  'writeKey',
  '__proto__',
])

describe('normalize', () => {
  it('adds what is always there', () => {
    expect(normal({ event: 'E', userId: 'u1' })).toEqual({
      type: 'track',
      event: 'E',
      userId: 'u1',
      messageId: 'new-id',
      channel: 'server',
      version: 2,
      projectId: 'src_web',
      originalTimestamp: NOW,
      timestamp: NOW,
      receivedAt: NOW,
    })
  })

  it('takes the type from the endpoint', () => {
    expect(normal({ type: 'page' })).toMatchObject({ type: 'track' })
  })

  it.each([
    [{ context: { library: { name: 'analytics.js' } } }, 'client'],
    [{ context: { library: { name: 'Analytics-Swift' } } }, 'client'],
    [{ context: { library: { name: '@segment/analytics-node' } } }, 'server'],
    [{ context: { library: { name: 'unheard-of' } } }, 'server'],
    [{ context: { library: 'odd' } }, 'server'],
    [{ context: 'odd' }, 'server'],
    [{ channel: 'mobile', context: { library: { name: 'analytics.js' } } }, 'mobile'],
  ])('tells the channel by the library, unless the event says it: %j', (event, channel) => {
    expect(normal(event)).toMatchObject({ channel })
  })

  it("tells the channel by the batch's library", () => {
    expect(normal({}, { context: { library: { name: 'analytics.js' } } })).toMatchObject({
      channel: 'client',
    })
  })

  it('names the source, whatever the event says', () => {
    expect(normal({ projectId: 'another', version: 1 })).toMatchObject({ projectId: 'src_web', version: 2 })
  })

  it.each([
    [{ messageId: 'm1' }, 'm1'],
    [{ messageId: '' }, 'new-id'],
    [{ messageId: null }, 'new-id'],
    [{ messageId: 7 }, '7'],
    [{ messageId: {} }, 'new-id'],
    [{ messageId: true }, 'new-id'],
  ])('keeps a messageId: %j', (event, messageId) => {
    expect(normal(event)).toMatchObject({ messageId })
  })

  it.each([
    [{ timestamp: THEN }, { timestamp: THEN, originalTimestamp: THEN }],
    [{ originalTimestamp: THEN }, { timestamp: THEN, originalTimestamp: THEN }],
    [
      { timestamp: NOW, originalTimestamp: THEN },
      { timestamp: NOW, originalTimestamp: THEN },
    ],
    [
      { sentAt: THEN, receivedAt: THEN },
      { sentAt: THEN, receivedAt: NOW, timestamp: NOW },
    ],
    [{ timestamp: null }, { timestamp: NOW }],
  ])('keeps the times that are given: %j', (event, times) => {
    expect(normal(event)).toMatchObject(times)
  })

  it('has sentAt of the batch where the event has none', () => {
    expect(normal({}, { sentAt: THEN })).toMatchObject({ sentAt: THEN })
    expect(normal({ sentAt: NOW }, { sentAt: THEN })).toMatchObject({ sentAt: NOW })
    expect(normal({})).not.toHaveProperty('sentAt')
  })

  it.each([
    [{ sentAt: 'soon' }, {}],
    [{ sentAt: null }, {}],
    [{ sentAt: { seconds: 1 } }, { sentAt: THEN }],
    [{}, { sentAt: 'soon' }],
  ])('has no sentAt where what is given is no time: %j in a batch with %j', (event, shared) => {
    expect(normal(event, shared)).not.toHaveProperty('sentAt')
  })

  it('knows the library that stamps sentAt once, by the context of the event or of its batch', () => {
    const kotlin = { library: { name: 'analytics-kotlin' } }
    const given = { timestamp: '2025-12-30T23:00:00.000Z', sentAt: THEN }
    const untouched = { timestamp: given.timestamp }
    expect(normal({ ...given, context: kotlin })).toMatchObject(untouched)
    expect(normal(given, { context: kotlin })).toMatchObject(untouched)
    expect(normal({ ...given, context: { library: 'analytics-kotlin' } })).not.toMatchObject(untouched)
    expect(
      normal({ ...given, context: { library: { name: 'analytics.js' } } }, { context: kotlin }),
    ).toMatchObject({
      timestamp: '2026-01-02T02:04:05.678Z',
    })
  })

  it("leaves the sender's time where the source says so", () => {
    const event = { timestamp: '2025-12-30T23:00:00.000Z', sentAt: THEN }
    expect(normal(event, undefined, {}, { ...SOURCE, timestamps: 'keep' })).toMatchObject(event)
  })

  it.each(['context', 'integrations'] as const)("merges the batch's %s under the event's own", (name) => {
    expect(normal({ [name]: { a: 1 } }, { [name]: { a: 2, b: 2 } })[name]).toEqual({ a: 1, b: 2 })
    expect(normal({}, { [name]: { b: 2 } })[name]).toEqual({ b: 2 })
    expect(normal({ [name]: null }, { [name]: { b: 2 } })[name]).toEqual({ b: 2 })
    // PHP writes what is empty as an empty array.
    expect(normal({ [name]: [] }, { [name]: { b: 2 } })[name]).toEqual({ b: 2 })
    expect(normal({ [name]: 'odd' }, { [name]: { b: 2 } })[name]).toEqual({ b: 2 })
    expect(normal({ [name]: 'odd' })[name]).toBe('odd')
    expect(normal({ [name]: { a: 1 } }, { [name]: ['odd'] })[name]).toEqual({ a: 1 })
    expect(normal({})).not.toHaveProperty(name)
  })

  it('gives any JSON the envelope, keeps what it says, and never throws', () => {
    // As bodies bring it: JSON knows no -0.
    const json = fc
      .json()
      .map((text) => JSON.parse(text))
      .filter((value): value is Record<string, never> => isJsonObject(value))
    const client = { ip: '203.0.113.7', userAgent: 'Firefox', isBrowser: true }
    fc.assert(
      fc.property(json, json, (own, shared) => {
        const event = normal(own, shared, { sender: client })
        expect(event).toMatchObject({ type: 'track', version: 2, projectId: 'src_web', receivedAt: NOW })
        expect([typeof event['messageId'], event['messageId']]).toEqual([
          'string',
          expect.stringMatching(/./),
        ])
        expect(event).not.toHaveProperty('writeKey')
        for (const [name, value] of Object.entries(own)) {
          if (!CHANGED.has(name)) expect(event[name]).toEqual(value)
        }
      }),
    )
  })

  it('leaves the write key out', () => {
    expect(normal({ writeKey: 'k' })).not.toHaveProperty('writeKey')
  })

  it('pollutes no prototype', () => {
    const hostile = '{"__proto__":{"polluted":1},"context":{"__proto__":{"polluted":1}}}'
    const text = `{"context":{"constructor":{"prototype":{"polluted":1}}},"batch":[${hostile}]}`
    const { events, shared } = scannedBatch(text)
    const made = normalize(events[0] as never, 'track', SOURCE, { ...envelope(), shared })
    const event = made.toJSON()
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
    expect(Object.getPrototypeOf(event)).toBe(Object.prototype)
    expect(Object.getPrototypeOf(event.context)).toBe(Object.prototype)
    expect(JSON.stringify(event)).toContain('"__proto__":{"polluted":1}')
  })

  describe('knows an event by its ID as it came', () => {
    const idOf = (text: string | Buffer, around: Partial<Envelope> = {}) =>
      normalize(scannedEvent(text), 'track', SOURCE, { ...envelope(), ...around }).messageId

    it.each([
      ['1541815603606036480', '1541815603606036480'],
      ['1541815603606036481', '1541815603606036481'],
      ['9007199254740993', '9007199254740993'],
      ['1e999', '1e999'],
      ['1.0', '1.0'],
      ['"\\ud800"', '\ud800'],
      ['"\\ud801"', '\ud801'],
    ])('%s', (text, id) => {
      expect(idOf(`{"messageId":${text}}`)).toBe(id)
    })

    it('gives a new one where the bytes are not UTF-8, and only there', () => {
      const bytes = (id: string) => Buffer.from(`{"messageId":"${id}","a":"\xff"}`, 'latin1')
      expect(idOf(bytes('m\xff'))).toBe('new-id')
      expect(idOf(bytes('m1'))).toBe('m1')
    })

    it('gives a new one where JavaScript had the number before, and may have changed it', () => {
      const idAfterParser = (text: string) => idOf(`{"messageId":${text}}`, { hasExactNumbers: false })
      expect(idAfterParser('1541815603606036500')).toBe('new-id')
      expect(idAfterParser('0.1')).toBe('new-id')
      expect(idAfterParser('17')).toBe('17')
      expect(idAfterParser('"m1"')).toBe('m1')
    })
  })
})
