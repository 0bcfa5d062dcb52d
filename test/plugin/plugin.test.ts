import { afterEach, describe, expect, it } from '@jest/globals'
import { Analytics, type Context } from '@segment/analytics-node'
import { FirehoseError } from '../../plugin/errors.js'
import type { SegmentEvent } from '../../plugin/event.js'
import { type KinesisFirehosePlugin, kinesisFirehose } from '../../plugin/plugin.js'
import type { DestinationSettings } from '../../plugin/settings/settings.js'
import type { LocalAwsOptions } from '../../server/local-aws/index.js'
import { startTestAws, type TestAws } from '../integration/aws.js'

const cleanUps: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

interface Started {
  readonly test: TestAws
  readonly analytics: Analytics
  readonly plugin: KinesisFirehosePlugin
  /** What `error` events told. */
  readonly errors: unknown[]
  /** The events in a stream's files. */
  events(stream: string): Promise<Record<string, unknown>[]>
}

/** A real Analytics, without Segment's own plugin, with ours before a local AWS. */
async function start(
  settings: Partial<DestinationSettings> = {},
  options: LocalAwsOptions = {},
): Promise<Started> {
  const test = await startTestAws(options)
  cleanUps.push(() => test.close())
  const analytics = new Analytics({ writeKey: 'unused' })
  const errors: unknown[] = []
  analytics.on('error', (error) => errors.push(error))
  await analytics.deregister('Segment.io')
  const plugin = kinesisFirehose(test.settings(settings))
  cleanUps.push(() => plugin.close({ timeout: 0 }))
  await analytics.register(plugin)
  const events = async (stream: string) => (await test.lines(stream)).map((line) => JSON.parse(line))
  return { test, analytics, plugin, errors, events }
}

/** The arguments of an event's callback. */
function settled(send: (callback: (error: unknown, ctx?: Context) => void) => void): Promise<unknown> {
  return new Promise((resolve) => send((error) => resolve(error)))
}

describe('the plugin in a real Analytics', () => {
  it('is a destination of the name that `integrations` use', () => {
    const plugin = kinesisFirehose({ mappedStreams: [] })
    expect(plugin).toMatchObject({ name: 'Amazon Kinesis Firehose', type: 'destination' })
    expect(plugin.isLoaded()).toBe(true)
  })

  it('delivers all six methods, routed by name and type', async () => {
    const { analytics, events, errors, plugin } = await start({
      mappedStreams: { 'User Registered': 'new_users', page: 'pages', group: 'groups', '*': 'everything' },
    })
    analytics.track({ userId: 'u', event: 'user registered', properties: { plan: 'Pro Annual' } })
    analytics.page({ userId: 'u', name: 'Home' })
    analytics.screen({ userId: 'u', name: 'Start' })
    analytics.identify({ userId: 'u', traits: { email: 'gibbons@example.com' } })
    analytics.group({ userId: 'u', groupId: 'g' })
    analytics.alias({ userId: 'u', previousId: 'p' })
    await analytics.closeAndFlush()
    expect(errors).toEqual([])
    const types = (await events('everything')).map((event) => event['type'])
    expect(types.sort()).toEqual(['alias', 'group', 'identify', 'page', 'screen', 'track'])
    expect(await events('new_users')).toMatchObject([
      { event: 'user registered', properties: { plan: 'Pro Annual' } },
    ])
    expect(await events('pages')).toMatchObject([{ type: 'page', name: 'Home' }])
    expect(await events('groups')).toMatchObject([{ type: 'group', groupId: 'g' }])
    expect(plugin.stats()).toMatchObject({ delivered: 6, failed: 0, unmapped: 0 })
  })

  it('tells the log of events that no row matches: of the first at once, and of the rest at the end', async () => {
    const lines: string[] = []
    const log = (line: string) => void lines.push(line)
    const { analytics } = await start({
      mappedStreams: { 'User Registered': 'new_users' },
      logger: { info: log, warn: log, error: log },
    })
    for (const event of ['User Registred', 'User Registered', 'Other', 'Other'])
      analytics.track({ userId: 'u', event })
    await analytics.closeAndFlush()
    await analytics.deregister('Amazon Kinesis Firehose')
    expect(lines).toEqual([
      '1 event(s) matched no row of mappedStreams, such as the track event "User Registred"',
      '2 event(s) matched no row of mappedStreams, such as the track event "Other"',
    ])
  })

  it('calls back without error once the record has its RecordId, and not before', async () => {
    const { analytics, test } = await start()
    const error = await settled((callback) => analytics.track({ userId: 'u', event: 'A' }, callback))
    expect(error).toBeUndefined()
    expect(test.taken.size).toBe(1)
  })

  it('gives events the form that the proxy gives them', async () => {
    const { analytics, events } = await start({ sourceId: 'src_app' })
    const timestamp = new Date('2026-01-02T03:04:05.678Z')
    analytics.track({ userId: 'u', event: 'A', timestamp })
    await analytics.closeAndFlush()
    expect(await events('everything')).toMatchObject([
      {
        channel: 'server',
        version: 2,
        projectId: 'src_app',
        timestamp: timestamp.toISOString(),
        originalTimestamp: timestamp.toISOString(),
        receivedAt: expect.stringMatching(/^20\d\d-.*Z$/),
        messageId: expect.any(String),
      },
    ])
  })

  it.each([
    [new Date('2026-01-02T03:04:05.678Z'), '2026-01-02T03:04:05.678Z'],
    [new Date(Number.NaN), expect.stringMatching(/^20\d\d-.*Z$/)],
  ])('hands times to `transform` as text, as the proxy does: %s', async (timestamp, expected) => {
    const seen: unknown[] = []
    const transform = (event: SegmentEvent) => {
      seen.push((event as { timestamp?: unknown }).timestamp)
      return event
    }
    const { analytics, events } = await start({ transform })
    analytics.track({ userId: 'u', event: 'A', timestamp })
    await analytics.closeAndFlush()
    expect(seen).toEqual([expected])
    expect(await events('everything')).toMatchObject([{ timestamp: expected }])
  })

  it.each<[unknown, string]>([
    ['2026-01-02', '2026-01-02T00:00:00.000Z'],
    ['2026-01-02T03:04:05.678+05:30', '2026-01-01T21:34:05.678Z'],
    ['2026-01-02 03:04:05', '2026-01-02T03:04:05.000Z'],
    [1_767_323_045, '2026-01-02T03:04:05.000Z'],
    ['2026-02-30', expect.stringMatching(/^20\d\d-.*Z$/) as unknown as string],
  ])('writes times in one form, and keeps the original as it came: %j', async (timestamp, expected) => {
    const { analytics, events } = await start()
    analytics.track({ userId: 'u', event: 'A', timestamp: timestamp as string })
    await analytics.closeAndFlush()
    expect(await events('everything')).toMatchObject([{ timestamp: expected, originalTimestamp: timestamp }])
  })

  it('keeps the times that a plugin of the app gave, in the same form', async () => {
    const { analytics, events } = await start()
    const given = { originalTimestamp: '2026-01-02 02:00', sentAt: new Date('2026-01-02T04:00:00.000Z') }
    await analytics.register({
      ...{ name: 'Times', type: 'before', version: '1', isLoaded: () => true, load: async () => {} },
      track(ctx) {
        Object.assign(ctx.event, given)
        return ctx
      },
    })
    analytics.track({ userId: 'u', event: 'A', timestamp: '2026-01-02T03:00:00Z' })
    await analytics.closeAndFlush()
    expect(await events('everything')).toMatchObject([
      {
        originalTimestamp: given.originalTimestamp,
        timestamp: '2026-01-02T03:00:00.000Z',
        sentAt: '2026-01-02T04:00:00.000Z',
      },
    ])
  })

  it('names the library, as nobody else does after deregister("Segment.io")', async () => {
    const { analytics, events } = await start()
    analytics.track({ userId: 'u', event: 'A', context: { ip: '127.0.0.1' } })
    await analytics.closeAndFlush()
    const { version } = { version: analytics.VERSION }
    expect(await events('everything')).toMatchObject([
      { context: { ip: '127.0.0.1', library: { name: '@segment/analytics-node', version } } },
    ])
  })

  it('gives the reason to the callback and to the error event', async () => {
    const { analytics, errors } = await start({}, { autoCreateStreams: false })
    const reason = await settled((callback) => analytics.track({ userId: 'u', event: 'A' }, callback))
    expect(reason).toBeInstanceOf(FirehoseError)
    expect(reason).toMatchObject({ code: 'ERR_STREAM_UNAVAILABLE' })
    await analytics.closeAndFlush()
    expect(errors).toMatchObject([{ code: 'delivery_failure', reason: { code: 'ERR_STREAM_UNAVAILABLE' } }])
  })

  it('fails an event with a BigInt and one that is too large, each with its reason, and no other', async () => {
    const { analytics, events } = await start()
    const track = (properties: Record<string, unknown>) =>
      settled((callback) => analytics.track({ userId: 'u', event: 'A', properties }, callback))
    const [ok, bigint, large] = await Promise.all([
      track({ ok: true }),
      track({ amount: 1n }),
      track({ text: 'x'.repeat(1_024_000) }),
    ])
    expect(ok).toBeUndefined()
    expect(bigint).toMatchObject({ code: 'ERR_UNSERIALIZABLE' })
    expect(large).toMatchObject({ code: 'ERR_RECORD_TOO_LARGE' })
    expect(await events('everything')).toHaveLength(1)
  })

  it('honours integrations, on and off', async () => {
    const { analytics, events, plugin } = await start()
    const track = (event: string, integrations: Record<string, boolean>) =>
      analytics.track({ userId: 'u', event, integrations })
    track('out', { 'Amazon Kinesis Firehose': false })
    track('all out', { All: false })
    track('in', { All: false, 'Amazon Kinesis Firehose': true })
    track('in too', { All: true })
    await analytics.closeAndFlush()
    expect((await events('everything')).map((event) => event['event'])).toEqual(['in', 'in too'])
    expect(plugin.stats().delivered).toBe(2)
  })

  it('redacts and drops by transform, without touching the event that others see', async () => {
    const { analytics, events, plugin } = await start({
      transform: (event) => (event.event === 'secret' ? null : { ...event, userId: 'redacted' }),
    })
    let seen: unknown
    analytics.track({ userId: 'u', event: 'A' }, (_error, ctx) => {
      seen = ctx?.event.userId
    })
    analytics.track({ userId: 'u', event: 'secret' })
    await analytics.closeAndFlush()
    expect(await events('everything')).toMatchObject([{ event: 'A', userId: 'redacted' }])
    expect(seen).toBe('u')
    expect(plugin.stats()).toMatchObject({ delivered: 1, dropped: 1 })
  })

  it('delivers everything in closeAndFlush, in few calls', async () => {
    const { analytics, test, events } = await start()
    for (let i = 0; i < 2_000; i++) analytics.track({ userId: 'u', event: `E${i}` })
    await analytics.closeAndFlush()
    expect(await events('everything')).toHaveLength(2_000)
    expect(test.callsOf('PutRecordBatch').length).toBeLessThan(100)
    expect(test.callsOf('AssumeRole')).toHaveLength(1)
  })

  it('flushes at the end of a Lambda handler, flushInterval or not, and goes on after it', async () => {
    const { analytics, plugin, events } = await start({ flushInterval: 20_000 })
    const handler = async (name: string) => {
      const handed = settled((callback) => analytics.track({ userId: 'u', event: name }, callback))
      await plugin.flush()
      return handed
    }
    expect(await handler('first')).toBeUndefined()
    expect(await handler('second')).toBeUndefined()
    expect(await events('everything')).toHaveLength(2)
  })

  it('resolves a flush to what became of the events since the one before', async () => {
    const { analytics, plugin } = await start({ mappedStreams: { A: 'everything' } })
    analytics.track({ userId: 'u', event: 'A' })
    analytics.track({ userId: 'u', event: 'A' })
    analytics.track({ userId: 'u', event: 'B' })
    const none = { delivered: 0, spilled: 0, failed: 0, unmapped: 0, off: 0, dropped: 0 }
    expect(await plugin.flush()).toEqual({ ...none, delivered: 2, unmapped: 1 })
    expect(await plugin.flush()).toEqual(none)
  })

  it('resolves a flush after the callbacks and the `error` events of what failed', async () => {
    const { analytics, plugin, errors } = await start({ transform: () => undefined as never })
    const seen: unknown[] = []
    for (let i = 0; i < 20; i++) {
      analytics.track({ userId: 'u', event: 'A' }, (error) => void seen.push(error))
    }
    const { failed } = await plugin.flush()
    expect([failed, seen.length, errors.length]).toEqual([20, 20, 20])
  })

  it('delivers what it has when it is deregistered, and lets go of the pool', async () => {
    const { analytics, plugin, events } = await start({ flushInterval: 20_000 })
    analytics.track({ userId: 'u', event: 'A' })
    await analytics.deregister(plugin.name)
    expect(await events('everything')).toHaveLength(1)
    expect(await plugin.close()).toEqual({ everything: { delivered: 1, spilled: 0, failed: 0 } })
  })

  it('works beside the Segment.io plugin, whose library mark stays', async () => {
    const test = await startTestAws()
    cleanUps.push(() => test.close())
    const analytics = new Analytics({ writeKey: 'w', disable: true })
    const plugin = kinesisFirehose(test.settings())
    await analytics.register(plugin)
    analytics.track({ userId: 'u', event: 'A' })
    await analytics.closeAndFlush()
    const [line] = await test.lines('everything')
    expect(JSON.parse(line as string)).toMatchObject({
      context: { library: { name: '@segment/analytics-node' } },
    })
    await plugin.close()
  })

  it('throws at construction for wrong settings, all at once', () => {
    const wrong = { mappedStreams: [{ event: 'A', stream: 'not a name' }], region: 'nowhere' }
    expect(() => kinesisFirehose(wrong)).toThrow(/region: got "nowhere".*|.*mappedStreams/s)
    expect(() => kinesisFirehose(wrong)).toThrow(FirehoseError)
  })
})
