import { describe, expect, it } from '@jest/globals'
import { systemClock } from '../../../plugin/clock.js'
import { listen, proxyHarness, WEB_KEY } from '../proxy-harness.js'
import { android } from './fixtures/android.js'
import { csharp } from './fixtures/csharp.js'
import { dotnet } from './fixtures/dotnet.js'
import { flutter } from './fixtures/flutter.js'
import { go } from './fixtures/go.js'
import { ios } from './fixtures/ios.js'
import { java } from './fixtures/java.js'
import { kotlin } from './fixtures/kotlin.js'
import { phpLibCurl } from './fixtures/php.js'
import { python } from './fixtures/python.js'
import { reactNative } from './fixtures/react-native.js'
import { ruby } from './fixtures/ruby.js'
import { swift } from './fixtures/swift.js'
import type { SdkFixture } from './sdk-fixture.js'
import { send } from './wire.js'

const HOURS = 3 * 3_600_000

/** By their sources; `server/intake/timestamps.ts` names the files. */
const STAMPING_ONCE = [kotlin, swift, csharp, java, go, dotnet, phpLibCurl]
const STAMPING_EACH_TRY = [android, ios, reactNative, flutter, python, ruby]

/** Sends what an SDK sent, three hours after it says to have sent it. */
async function sendLate(fixture: SdkFixture, timestamps: 'segment' | 'keep' = 'segment') {
  const request = fixture.request(WEB_KEY)
  const sent = JSON.parse(request.body)
  const receivedAt = Date.parse(sent.sentAt) + HOURS
  const { proxy, web } = proxyHarness({
    clock: { ...systemClock, wallTime: () => receivedAt },
    source: { timestamps },
  })
  expect((await send(await listen(proxy), request)).status).toBe(200)
  const happened: string[] = sent.batch.map(({ timestamp }: { timestamp: string }) => timestamp)
  const times = web.delivered.map((it) => (it as { timestamp?: unknown }).timestamp)
  return { happened, times }
}

const iso = (time: number) => new Date(time).toISOString()

describe('a request that arrives three hours after its sentAt', () => {
  it.each(STAMPING_ONCE.map((it) => [it.sdk, it] as const))(
    'leaves the times of %s alone',
    async (_name, fixture) => {
      const { happened, times } = await sendLate(fixture)
      expect(times).toEqual(happened.map((it) => iso(Date.parse(it))))
    },
  )

  it.each(STAMPING_EACH_TRY.map((it) => [it.sdk, it] as const))(
    'tells of a clock three hours slow where it is of %s',
    async (_name, fixture) => {
      const { happened, times } = await sendLate(fixture)
      expect(times).toEqual(happened.map((it) => iso(Date.parse(it) + HOURS)))
    },
  )

  it.each([...STAMPING_ONCE, ...STAMPING_EACH_TRY].map((it) => [it.sdk, it] as const))(
    'leaves the times of %s alone where the source says `timestamps: keep`',
    async (_name, fixture) => {
      const { happened, times } = await sendLate(fixture, 'keep')
      expect(times).toEqual(happened.map((it) => iso(Date.parse(it))))
    },
  )
})
