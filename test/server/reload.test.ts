import { afterEach, describe, expect, it } from '@jest/globals'
import { type FirehoseProxy, firehoseProxy, type ProxyConfig } from '../../server/index.js'
import { startTestAws, type TestAws } from '../integration/aws.js'
import { basic, listen } from './proxy-harness.js'

let aws: TestAws
let proxy: FirehoseProxy

afterEach(async () => {
  await proxy.close({ timeout: 0 })
  await aws.close()
})

const lines: string[] = []
const log = (line: unknown) => void lines.push(String(line))
const logger = { info: log, warn: log, error: log }

type SourceChange = Partial<ProxyConfig['sources'][number]> & { readonly stream?: string }

function config(
  { stream = 'first', ...source }: SourceChange = {},
  more: Partial<ProxyConfig> = {},
): ProxyConfig {
  const destination = aws.settings({ mappedStreams: { '*': stream }, logger })
  return {
    logger,
    ...more,
    sources: [{ id: 'src_web', name: 'Website', writeKey: 'old-key', destination, ...source }],
  }
}

async function start(options: Parameters<typeof startTestAws>[0] = {}, first: SourceChange = {}) {
  lines.length = 0
  aws = await startTestAws(options)
  proxy = firehoseProxy(config(first))
  const url = await listen(proxy)
  return async (messageId: string, writeKey = 'old-key', members: object = {}) => {
    const body = JSON.stringify({ event: 'E', userId: 'u1', messageId, ...members })
    const headers = { authorization: basic(writeKey) }
    return (await fetch(`${url}/v1/track`, { method: 'POST', headers, body })).status
  }
}

describe('a proxy that gets another config', () => {
  it('goes on with it: streams, keys, switches', async () => {
    const send = await start()
    expect(await send('a')).toBe(200)
    proxy.reload(config({ stream: 'second', writeKey: ['old-key', 'new-key'] }))
    expect([await send('b'), await send('c', 'new-key')]).toEqual([200, 200])
    proxy.reload(config({ stream: 'second', writeKey: 'new-key', enabled: false }))
    expect([await send('d'), await send('e', 'new-key')]).toEqual([401, 401])
    expect(await aws.lines('first')).toHaveLength(1)
    expect(await aws.lines('second')).toHaveLength(2)
  })

  it('finishes what is under way as it began', async () => {
    const send = await start({ faults: [{ kind: 'delay', ms: 100, stream: 'first', times: 1 }] })
    const first = send('a')
    while (aws.calls.length === 0) await new Promise(setImmediate)
    proxy.reload(config({ stream: 'second' }))
    expect([await send('b'), await first]).toEqual([200, 200])
    expect(await aws.lines('first')).toMatchObject([expect.stringContaining('"a"')])
    expect(await aws.lines('second')).toMatchObject([expect.stringContaining('"b"')])
  })

  it('keeps what a source has where its settings are the same: counts, clients, IDs seen', async () => {
    const send = await start()
    await send('a')
    proxy.reload(config({ name: 'Renamed', ip: 'drop' }))
    expect(await send('a')).toBe(200)
    expect(proxy.stats()).toMatchObject({
      clients: { assumeRoleCalls: 1 },
      sources: { Renamed: { delivered: 1, duplicates: 1 } },
    })
    expect(await aws.lines('first')).toHaveLength(1)
  })

  it('keeps what was counted against a limit, of requests and of events, until the limit changes', async () => {
    const rateLimit = { limit: 3, maxEvents: 2, windowMs: 60_000 }
    const send = await start({}, { rateLimit })
    expect([await send('a'), await send('b')]).toEqual([200, 200])
    proxy.reload(config({ name: 'Renamed', rateLimit }))
    expect(await send('c')).toBe(429)
    proxy.reload(config({ rateLimit: { ...rateLimit, maxEvents: 100 } }))
    expect([await send('c'), await send('d'), await send('e'), await send('f')]).toEqual([200, 200, 200, 429])
  })

  it('corrects times or leaves them, as the new config says', async () => {
    const send = await start()
    const times = { timestamp: '2020-01-02T03:00:00.000Z', sentAt: '2020-01-02T03:04:05.000Z' }
    await send('a', 'old-key', times)
    proxy.reload(config({ timestamps: 'keep' }))
    await send('b', 'old-key', times)
    const records = (await aws.lines('first')).map((line) => JSON.parse(line))
    expect(records.map(({ timestamp }) => timestamp === times.timestamp)).toEqual([false, true])
    expect(records.map((it) => it.originalTimestamp)).toEqual([times.timestamp, times.timestamp])
  })

  it('closes what it no longer uses, once that is idle', async () => {
    const send = await start()
    await send('a')
    proxy.reload(config({ id: 'src_other', writeKey: 'other-key' }))
    expect([await send('b'), await send('c', 'other-key')]).toEqual([401, 200])
    expect(proxy.stats().sources).toMatchObject({ Website: { delivered: 1 } })
  })

  it('names in notices of streams the source as it is called then', async () => {
    const send = await start({ faults: [{ kind: 'error', action: 'AssumeRole', code: 'AccessDenied' }] })
    proxy.reload(config({ name: 'Renamed' }))
    expect(await send('a')).toBe(503)
    expect(lines[0]).toMatch(/^Stream "first" of Renamed cannot be written, records fail until it can: /)
  })

  it('throws what is wrong with the config, and goes on with the one before', async () => {
    const send = await start()
    const wrong = config({ ip: 'hide' as never, writeKey: 'secret-key' })
    expect(() => proxy.reload(wrong)).toThrow(/Wrong settings:\n {2}sources\[0\]\.ip: got "hide"/)
    expect([await send('a'), await send('b', 'secret-key')]).toEqual([200, 401])
  })

  it('says what it does not change', async () => {
    await start()
    proxy.reload(config({}, { maxBufferedBytes: 10_000_000, deadLetters: './other' }))
    expect(lines).toEqual([
      'maxBufferedBytes: has changed; that takes effect at the next start',
      'deadLetters: has changed; that takes effect at the next start',
    ])
  })
})

describe('events that no row of mappedStreams matches', () => {
  const mappedTo = (event: string) =>
    config({ destination: aws.settings({ mappedStreams: { [event]: 'first' }, logger }) })

  it('are told by source: the first at once, the rest when the mapping changes or the proxy closes', async () => {
    const send = await start()
    proxy.reload(mappedTo('Other'))
    for (const id of ['a', 'b', 'c', 'c']) expect(await send(id)).toBe(200)
    const told = (count: number) =>
      `${count} event(s) of Website matched no row of mappedStreams, such as the track event "E"`
    expect(lines).toEqual([told(1)])
    proxy.reload(mappedTo('Another'))
    expect(lines).toEqual([told(1), told(2)])
    for (const id of ['d', 'e']) expect(await send(id)).toBe(200)
    proxy.reload({ ...mappedTo('Another'), publicUrl: 'https://events.example.com' })
    expect(lines.slice(2)).toEqual([told(1)])
    await proxy.close()
    expect(lines.slice(3)).toEqual([told(1)])
  })

  it('are not told where one of several destinations has a row for them', async () => {
    const send = await start()
    const destination = ['Other', '*'].map((event) =>
      aws.settings({ mappedStreams: { [event]: 'first' }, logger }),
    )
    proxy.reload(config({ destination }))
    expect(await send('a')).toBe(200)
    expect(lines).toEqual([])
  })
})

describe('a source with several destinations', () => {
  it('delivers to all of them, and answers 503 where one fails', async () => {
    const both = () => [
      aws.settings({ mappedStreams: { '*': 'first' }, logger }),
      aws.settings({
        mappedStreams: { '*': 'second', page: 'missing' },
        sourceId: 'other',
        deliveryTimeout: 200,
        logger,
      }),
    ]
    const send = await start({ autoCreateStreams: true })
    proxy.reload(config({ destination: both() }))
    expect(await send('a')).toBe(200)
    expect([await aws.lines('first'), await aws.lines('second')].map((it) => it.length)).toEqual([1, 1])
    expect(proxy.stats()).toMatchObject({
      clients: { assumeRoleCalls: 2 },
      sources: {
        Website: {
          delivered: 1,
          streams: { 'destination[0].first': { delivered: 1 }, 'destination[1].second': { delivered: 1 } },
        },
      },
    })
    aws.aws.addFault({ kind: 'throttle', stream: 'second' })
    expect(await send('b')).toBe(503)
    expect(proxy.stats().sources['Website']).toMatchObject({ delivered: 1, failed: 1 })
    expect(lines[0]).toMatch(/^Stream "second" of Website \(destination\[1\]\) takes no records, /)
  })
})
