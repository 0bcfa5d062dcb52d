import { describe, expect, it } from '@jest/globals'
import { failure } from '../fake-destination.js'
import { listen, NOW_ISO, proxyHarness, WEB_KEY } from '../proxy-harness.js'
import { android } from './fixtures/android.js'
import { csharp } from './fixtures/csharp.js'
import { dotnet, dotnetGzip } from './fixtures/dotnet.js'
import { flutter } from './fixtures/flutter.js'
import { go } from './fixtures/go.js'
import { ios } from './fixtures/ios.js'
import { java, javaRetry } from './fixtures/java.js'
import { kotlin, kotlinChunked } from './fixtures/kotlin.js'
import { phpGzip, phpLibCurl, phpSocket } from './fixtures/php.js'
import { python, pythonBefore24, pythonGzip } from './fixtures/python.js'
import { reactNative } from './fixtures/react-native.js'
import { ruby } from './fixtures/ruby.js'
import { swift } from './fixtures/swift.js'
import type { SdkFixture } from './sdk-fixture.js'
import { send } from './wire.js'

const all: readonly SdkFixture[] = [
  android,
  csharp,
  dotnet,
  dotnetGzip,
  flutter,
  go,
  ios,
  java,
  javaRetry,
  kotlin,
  kotlinChunked,
  phpGzip,
  phpLibCurl,
  phpSocket,
  python,
  pythonBefore24,
  pythonGzip,
  reactNative,
  ruby,
  swift,
]

/** Those that keep what was refused for good: by their own rules no answer makes them let go at once. */
const KEEP_MALFORMED: readonly SdkFixture[] = [flutter, go]
const KEEP_UNKNOWN_KEY: readonly SdkFixture[] = [flutter, go, swift]

/** Their events are 5 s older than the requests that they come in, which are taken as sent now. */
const HAPPENED = '2026-01-02T03:04:00.678Z'

/** What SDKs cap a wait at: a longer one would not be waited for. */
const LONGEST_RETRY_AFTER = 300

describe.each(all.map((fixture) => ({ name: fixture.sdk, fixture })))('$name', ({ fixture }) => {
  it('has its events delivered', async () => {
    const { proxy, web, letters, lines, budget } = proxyHarness()
    const answer = await send(await listen(proxy), fixture.request(WEB_KEY))
    expect([answer.status, answer.body]).toEqual([200, '{"success":true}'])
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8')
    expect(fixture.verdict(answer)).toBe('delivered')
    expect(web.delivered.map(({ type }) => type)).toEqual(fixture.types)
    expect([letters, lines, budget.used]).toEqual([[], [], 0])
  })

  it('finds in its records what it sent, and the times set right', async () => {
    const { proxy, web } = proxyHarness()
    const request = fixture.request(WEB_KEY)
    await send(await listen(proxy), request)
    const sent = JSON.parse(request.body)
    expect(web.delivered).toHaveLength(sent.batch.length)
    for (const [i, record] of web.delivered.entries()) {
      const { timestamp, context, ...own } = sent.batch[i]
      expect(record).toMatchObject({
        ...own,
        context: { ...sent.context, ...context, library: { name: fixture.library } },
        originalTimestamp: timestamp,
        timestamp: HAPPENED,
        sentAt: new Date(sent.sentAt).toISOString(),
        receivedAt: NOW_ISO,
        channel: fixture.channel,
      })
      expect(JSON.stringify(record)).not.toContain(WEB_KEY)
    }
  })

  it('keeps its events while they cannot be delivered, and knows how long to wait', async () => {
    const { proxy, web } = proxyHarness()
    web.outcome = () => failure('ERR_DELIVERY_TIMEOUT')
    const answer = await send(await listen(proxy), fixture.request(WEB_KEY))
    expect([answer.status, fixture.verdict(answer)]).toEqual([503, 'kept'])
    // A date would be understood by some only.
    expect(answer.headers['retry-after']).toMatch(/^[1-9]\d*$/)
    expect(Number(answer.headers['retry-after'])).toBeLessThanOrEqual(LONGEST_RETRY_AFTER)
  })

  it('has the same events delivered at its next try', async () => {
    const { proxy, web } = proxyHarness()
    const url = await listen(proxy)
    web.outcome = () => failure('ERR_STREAM_UNAVAILABLE')
    await send(url, fixture.request(WEB_KEY))
    web.outcome = () => ({ status: 'delivered' })
    expect((await send(url, fixture.request(WEB_KEY))).status).toBe(200)
    expect(web.delivered).toHaveLength(fixture.types.length)
  })

  it('lets go of what could never be read', async () => {
    const { proxy, web } = proxyHarness()
    const request = fixture.request(WEB_KEY)
    const answer = await send(await listen(proxy), { ...request, body: request.body.slice(0, 20) })
    expect(answer.status).toBe(400)
    expect(fixture.verdict(answer)).toBe(KEEP_MALFORMED.includes(fixture) ? 'kept' : 'dropped')
    expect(web.calls).toEqual([])
  })

  it('is told of a write key that is not known', async () => {
    const { proxy, web } = proxyHarness()
    const answer = await send(await listen(proxy), fixture.request('mistyped-key'))
    expect(answer.status).toBe(401)
    expect(fixture.verdict(answer)).toBe(KEEP_UNKNOWN_KEY.includes(fixture) ? 'kept' : 'dropped')
    expect(JSON.parse(answer.body)).toEqual({
      code: 'invalid_write_key',
      message: expect.stringContaining('write key'),
      error: expect.stringContaining('write key'),
    })
    expect(answer.body).not.toContain('mistyped')
    expect(web.calls).toEqual([])
  })
})
