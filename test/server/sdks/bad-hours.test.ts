import { describe, expect, it } from '@jest/globals'
import { systemClock } from '../../../plugin/clock.js'
import type { SegmentEvent } from '../../../plugin/event.js'
import { Arrivals } from '../browser/arrivals.js'
import { makeCertificate } from '../browser/tls-front.js'
import { listen, proxyHarness, WEB_KEY } from '../proxy-harness.js'
import { startRecorder, unavailable } from './recorder.js'
import { startSdk } from './running-sdk.js'
import { basicOf } from './sdk-fixture.js'
import { installedSdks, type SdkProgram } from './sdk-programs.js'
import { exchange, send } from './wire.js'

const TIMEOUT_MS = 60_000
const THREE_HOURS_MS = 3 * 60 * 60_000

const certificate = makeCertificate()
const sdks = installedSdks().map((sdk) => ({ name: sdk.name, sdk }))
const only = (...names: string[]) => sdks.filter(({ name }) => names.includes(name))
const without = (...names: string[]) => sdks.filter(({ name }) => !names.includes(name))

/** An SDK, and a proxy whose clock a test can put forward. */
async function start(sdk: SdkProgram, writeKey = WEB_KEY) {
  const recorder = await startRecorder(sdk.isTlsOnly ? certificate : undefined)
  const clock = { aheadMs: 0 }
  const { proxy, web, letters } = proxyHarness({
    clock: { ...systemClock, wallTime: () => Date.now() + clock.aheadMs },
    more: { publicUrl: recorder.url },
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

// The first pause of Java's is 15 s.
describe.each(without('Java'))('an event that the $name SDK sends again after a 503', ({ sdk }) => {
  it(
    'is delivered, at its own time where the outage took three hours',
    async () => {
      const { recorder, clock, delivered, running } = await start(sdk)
      recorder.answers.push((res) => {
        clock.aheadMs = THREE_HOURS_MS
        unavailable(res)
      })
      running.do('track Delayed', 'flush')
      await running.waitFor(recorder.sent.until(1))
      // Kotlin's is sent again with the next flush only.
      running.do('flush')
      const [record] = await running.waitFor(delivered.until(1))
      await running.close()
      const [first, second] = recorder.sent.all.map(({ text }) => JSON.parse(text) as Batch)
      const timestamp = new Date(String(first?.batch[0]?.timestamp)).getTime()
      expect(second?.batch).toEqual(first?.batch)
      expect(second?.sentAt === first?.sentAt).toBe(sdk.stampsSentAt === 'once')
      expect(delivered.all).toHaveLength(1)
      // An SDK that stamps at each try and is three hours behind has a slow clock, as far as a server can tell.
      const waited = Date.parse(String(second?.sentAt)) - timestamp
      expect(record?.timestamp).toBe(
        sdk.stampsSentAt === 'once'
          ? new Date(timestamp).toISOString()
          : new Date(Date.parse(String(record?.receivedAt)) - waited).toISOString(),
      )
    },
    TIMEOUT_MS,
  )
})

it.each(only('Java'))(
  'keeps the time of an event of the $name SDK whose batch comes three hours late',
  async ({ sdk }) => {
    const { recorder, clock, delivered, running } = await start(sdk)
    recorder.answers.push(unavailable)
    running.do('track Delayed', 'flush')
    const [sent] = await running.waitFor(recorder.sent.until(1))
    if (sent === undefined) throw new Error('nothing was sent')
    // As the SDK would: it makes a batch once, and sends that at each try.
    clock.aheadMs = THREE_HOURS_MS
    await exchange(recorder.target, sent)
    const [record] = await delivered.until(1)
    expect(record?.timestamp).toBe((JSON.parse(sent.text) as Batch).batch[0]?.timestamp)
  },
  TIMEOUT_MS,
)

// Go's tries ten times, which takes a minute.
it.each(without('Go'))(
  'has the $name SDK report a write key that is not known, without another try',
  async ({ sdk }) => {
    const { recorder, delivered, running } = await start(sdk, 'mistyped-key')
    running.do('track Lost', 'flush')
    await running.waitFor(recorder.sent.until(1))
    const told = await running.waitFor(
      running.errors.until(1, (error) => /401|invalid_write_key|write key/.test(error)),
    )
    await running.close()
    expect(told).toHaveLength(1)
    expect([recorder.sent.all.length, delivered.all]).toEqual([1, []])
  },
  TIMEOUT_MS,
)

it.each(only('Python'))(
  'delivers the other events of a batch in which the $name SDK wrote a NaN, and keeps that one',
  async ({ sdk }) => {
    const { recorder, delivered, letters, running } = await start(sdk)
    running.do('track Before', 'nan', 'track After', 'flush')
    await running.close()
    expect(recorder.sent.all.map(({ text }) => text)).toEqual([expect.stringContaining('"price": NaN')])
    expect(delivered.all.map(({ event }) => event)).toEqual(['Before', 'After'])
    expect(JSON.stringify(letters)).toContain('Not a number')
    expect(running.errors.all).toEqual([])
  },
  TIMEOUT_MS,
)

/** What the shell's `echo` makes of the escapes that the SDK wrote: a line break and a tab within a string. */
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
