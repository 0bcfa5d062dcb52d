import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { type Envelope, normalize } from '../../../server/intake/normalize.js'
import { isJsonObject } from '../../../server/json-object.js'

const NOW = '2026-01-02T03:04:05.678Z'
const THEN = '2025-12-31T00:00:00.000Z'

const envelope = (shared: Envelope['shared'] = {}): Envelope => ({
  shared,
  receivedAt: NOW,
  sender: { ip: undefined, userAgent: undefined, isBrowser: false },
  newId: () => 'new-id',
})
const normal = (event: Record<string, unknown>, shared?: Envelope['shared']) =>
  normalize(event, 'track', { id: 'src_web', ip: 'keep', timestamps: 'segment' }, envelope(shared))

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
    const source = { id: 'src_web', ip: 'keep', timestamps: 'keep' } as const
    expect(normalize(event, 'track', source, envelope())).toMatchObject(event)
  })

  it.each(['context', 'integrations'] as const)("merges the batch's %s under the event's own", (name) => {
    expect(normal({ [name]: { a: 1 } }, { [name]: { a: 2, b: 2 } })[name]).toEqual({ a: 1, b: 2 })
    expect(normal({}, { [name]: { b: 2 } })[name]).toEqual({ b: 2 })
    expect(normal({ [name]: null }, { [name]: { b: 2 } })[name]).toEqual({ b: 2 })
    expect(normal({ [name]: 'odd' }, { [name]: { b: 2 } })[name]).toBe('odd')
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
        const given = structuredClone([own, shared])
        const event = normalize(
          own,
          'track',
          { id: 'src_web', ip: 'keep', timestamps: 'segment' },
          { ...envelope(shared), sender: client },
        )
        expect([own, shared]).toEqual(given)
        expect(event).toMatchObject({ type: 'track', version: 2, projectId: 'src_web', receivedAt: NOW })
        expect([typeof event.messageId, event.messageId]).toEqual(['string', expect.stringMatching(/./)])
        expect(event).not.toHaveProperty('writeKey')
        for (const [name, value] of Object.entries(own)) {
          if (!CHANGED.has(name)) expect((event as Record<string, unknown>)[name]).toEqual(value)
        }
        expect(JSON.parse(JSON.stringify(event))).toEqual(event)
      }),
    )
  })

  it('leaves the write key out', () => {
    expect(normal({ writeKey: 'k' })).not.toHaveProperty('writeKey')
  })

  it('leaves what it was given as it was', () => {
    const event = Object.freeze({ writeKey: 'k', context: Object.freeze({ a: 1 }) })
    const shared = Object.freeze({ context: Object.freeze({ b: 1 }) })
    normal(event, shared)
    expect([event, shared]).toEqual([{ writeKey: 'k', context: { a: 1 } }, { context: { b: 1 } }])
  })

  it('pollutes no prototype', () => {
    const hostile = JSON.parse('{"__proto__":{"polluted":1},"context":{"__proto__":{"polluted":1}}}')
    const event = normal(hostile, JSON.parse('{"context":{"constructor":{"prototype":{"polluted":1}}}}'))
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
    expect(Object.getPrototypeOf(event)).toBe(Object.prototype)
    expect(Object.getPrototypeOf(event.context)).toBe(Object.prototype)
    expect(JSON.stringify(event)).toContain('"__proto__":{"polluted":1}')
  })
})
