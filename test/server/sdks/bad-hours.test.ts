import { expect, it } from '@jest/globals'
import { systemClock } from '../../../plugin/clock.js'
import type { SegmentEvent } from '../../../plugin/event.js'
import { Arrivals } from '../browser/arrivals.js'
import { makeCertificate } from '../browser/tls-front.js'
import { listen, proxyHarness, WEB_KEY } from '../proxy-harness.js'
import { startRecorder, unavailable } from './recorder.js'
import { startSdk } from './running-sdk.js'
import { basicOf } from './sdk-fixture.js'
import { describeFor, SDKS, type SdkProgram } from './sdk-programs.js'
import { exchange, send } from './wire.js'

const TIMEOUT_MS = 60_000
const THREE_HOURS_MS = 3 * 60 * 60_000

const certificate = makeCertificate()

/** An SDK, and a proxy whose clock a test can put forward. */
async function start(sdk: SdkProgram, writeKey = WEB_KEY) {
  const recorder = await startRecorder(sdk.isTlsOnly ? certificate : undefined)
  const clock = { aheadMs: 0 }
  const { proxy, web, letters } = proxyHarness({
    clock: { ...systemClock, wallTime: () => Date.now() + clock.aheadMs },
  })
  const delivered = new Arrivals<SegmentEvent & { readonly receivedAt?: string }>()
  web.outcome = (event) => {
    delivered.add(event)
    return { status: 'delivered' }
  }
  recorder.target = await listen(proxy)
  const running = startSdk(sdk, { url: recorder.url, writeKey, certificate })
  return { recorder, clock, letters, delivered, running }
}

interface Batch {
  readonly sentAt: string
  readonly batch: readonly { readonly messageId: string; readonly timestamp: string }[]
}

for (const sdk of SDKS) {
  describeFor(sdk)(`the ${sdk.name} SDK`, () => {
    // The Java SDK waits at least 15 s before it tries again.
    if (sdk.library !== 'analytics-java') {
      it(
        'delivers at its next try what a 503 put off, dated right after an outage of three hours',
        () => resend(sdk),
        TIMEOUT_MS,
      )
    } else {
      it('has its own time in an event that comes three hours late', () => arriveLate(sdk), TIMEOUT_MS)
    }
    // The Go SDK tries ten times, which takes a minute.
    if (sdk.library !== 'analytics-go') {
      it('reports a write key that is not known, without another try', () => useUnknownKey(sdk), TIMEOUT_MS)
    }
    if (sdk.library === 'analytics-python') {
      it(
        'delivers the other events of a batch in which it wrote a NaN, which becomes a dead letter',
        () => sendNaN(sdk),
        TIMEOUT_MS,
      )
    }
  })
}

async function resend(sdk: SdkProgram): Promise<void> {
  const { recorder, clock, delivered, running } = await start(sdk)
  recorder.answers.push((res) => {
    clock.aheadMs = THREE_HOURS_MS
    unavailable(res)
  })
  running.do('track Delayed', 'flush')
  await running.waitFor(recorder.sent.until(1))
  // The Kotlin SDK tries again only when it is flushed again.
  running.do('flush')
  const [record] = await running.waitFor(delivered.until(1))
  await running.close()
  const [first, second] = recorder.sent.all.map(({ text }) => JSON.parse(text) as Batch)
  expect(second?.batch).toEqual(first?.batch)
  expect(delivered.all).toHaveLength(1)
  const happened = Date.parse(String(first?.batch[0]?.timestamp))
  if (sdk.stampsSentAt === 'once') {
    expect(second?.sentAt).toBe(first?.sentAt)
    expect(record?.timestamp).toBe(new Date(happened).toISOString())
    return
  }
  expect(second?.sentAt).not.toBe(first?.sentAt)
  // As far as a server can tell, the clock of this SDK is three hours slow.
  const waitedMs = Date.parse(String(second?.sentAt)) - happened
  expect(record?.timestamp).toBe(new Date(Date.parse(String(record?.receivedAt)) - waitedMs).toISOString())
}

async function arriveLate(sdk: SdkProgram): Promise<void> {
  const { recorder, clock, delivered, running } = await start(sdk)
  recorder.answers.push(unavailable)
  running.do('track Delayed', 'flush')
  const [sent] = await running.waitFor(recorder.sent.until(1))
  if (sent === undefined) throw new Error('nothing was sent')
  running.kill()
  // The SDK would do the same: it makes a batch once, and sends that at each try.
  clock.aheadMs = THREE_HOURS_MS
  await exchange(recorder.target, sent)
  const [record] = await delivered.until(1)
  expect(record?.timestamp).toBe((JSON.parse(sent.text) as Batch).batch[0]?.timestamp)
}

async function useUnknownKey(sdk: SdkProgram): Promise<void> {
  const { recorder, delivered, running } = await start(sdk, 'mistyped-key')
  running.do('track Lost', 'flush')
  await running.waitFor(recorder.sent.until(1))
  await running.waitFor(running.errors.until(1, (error) => /401|write.key/.test(error)))
  await running.close()
  expect([recorder.sent.all.length, delivered.all]).toEqual([1, []])
}

async function sendNaN(sdk: SdkProgram): Promise<void> {
  const { recorder, delivered, letters, running } = await start(sdk)
  running.do('track Before', 'nan', 'track After', 'flush')
  await running.close()
  expect(recorder.sent.all.map(({ text }) => text).join()).toContain('"price": NaN')
  expect(delivered.all.map(({ event }) => event)).toEqual(['Before', 'After'])
  expect(JSON.stringify(letters)).toContain('Not a number')
}

/** The shell's `echo` has put a line break and a tab into the string, where the SDK wrote escapes. */
const BROKEN = '"properties":{"text":"one\ntwo\tü"}'

it('delivers the other events of a batch that the fork_curl consumer of PHP broke when it compressed it', async () => {
  const { proxy, web, letters } = proxyHarness()
  const library = '"context":{"library":{"name":"analytics-php","version":"3.8.2","consumer":"ForkCurl"}}'
  const event = (name: string, own: string) =>
    `{"userId":"u1","event":"${name}",${own},${library},"timestamp":"2026-01-02T03:04:05+00:00","messageId":"${name}","type":"track"}`
  const batch = [
    event('Before', '"properties":{}'),
    event('Broken', BROKEN),
    event('After', '"properties":{}'),
  ]
  const { status } = await send(await listen(proxy), {
    path: '/v1/batch',
    headers: [
      basicOf(WEB_KEY),
      ['Accept', '*/*'],
      ['Content-Type', 'application/json'],
      ['Content-Encoding', 'gzip'],
      ['User-Agent', 'analytics-php/3.8.2'],
    ],
    body: `{"batch":[${batch.join(',')}],"sentAt":"2026-01-02T03:04:05+00:00"}\n`,
    gzip: true,
  })
  expect(status).toBe(200)
  expect(web.delivered.map(({ event: name }) => name)).toEqual(['Before', 'After'])
  expect(JSON.stringify(letters)).toContain('Broken')
})
