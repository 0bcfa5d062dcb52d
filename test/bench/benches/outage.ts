import { setTimeout as wait } from 'node:timers/promises'
import type { Bench } from '../bench.js'
import { withCleanup } from '../cleanup.js'
import type { Sent } from '../parts/load.js'
import type { Tally } from '../parts/stub.js'
import { mebibytes, wholeNumber } from '../report.js'
import { startLoad, startStub } from '../rig.js'
import { startServing, WRITE_KEY } from '../serving.js'

const EVENTS_IN_BODY = 100
const EVENTS_PER_SECOND = 5_000
/** Those of clients that wait for their answer, and of some that give up on it. */
const CONNECTIONS = 500
const DELAY_MS = 5
const SECONDS = 20
const HEALTHY_SECONDS = 3
/** The default of `maxBufferedBytes`, and what may come on top. */
const MAX_RSS_MIB = 64 + 150
const POLL_MS = 100
const LONGEST_RECOVERY_MS = 120_000

export const outageBench: Bench = {
  name: 'outage',
  title: `Firehose hangs, ${EVENTS_PER_SECOND} events/s go on (--seconds 60 for the long form)`,
  run: ({ seconds = SECONDS, delayMs = DELAY_MS }) =>
    withCleanup(async (cleanup) => {
      const stub = await startStub({ delayMs }, cleanup)
      const load = await startLoad(
        { eventsInBody: EVENTS_IN_BODY, connections: CONNECTIONS, writeKeys: [WRITE_KEY] },
        cleanup,
      )
      const { part, url } = await startServing({ endpoint: stub.url }, cleanup)
      const sending = load.ask<Sent>('run', {
        url,
        seconds: HEALTHY_SECONDS + seconds,
        requestsPerSecond: EVENTS_PER_SECOND / EVENTS_IN_BODY,
      })
      await wait(HEALTHY_SECONDS * 1_000)
      const before = await part.usage()
      await stub.part.ask('hang')
      await wait(seconds * 1_000)
      await stub.part.ask('heal')
      const healedAt = performance.now()
      const sent = await sending
      const recoveryMs = await recovery(url, stub.part, { from: healedAt, events: sent.events })
      const { peakRssBytes } = await part.usage()
      return {
        notes: [
          `hung for ${seconds} s; acknowledged ${wholeNumber(sent.events)} events, all of them delivered at the end`,
          `other answers, by status: ${JSON.stringify(sent.failures)}; not sent, as no client was free: ${sent.unsent} requests`,
          `peak RSS before: ${mebibytes(before.peakRssBytes)}`,
          `recovery: ${(recoveryMs / 1_000).toFixed(1)} s from the first good answer until all of it was delivered`,
        ],
        ratios: [
          { name: 'peak RSS', values: [peakRssBytes / 1024 / 1024], atMost: MAX_RSS_MIB, unit: 'MiB' },
        ],
      }
    }),
}

/** Until nothing is in memory and as many records have come as events were acknowledged. */
async function recovery(
  url: string,
  stub: { ask<T>(command: string): Promise<T> },
  { from, events }: { readonly from: number; readonly events: number },
): Promise<number> {
  for (;;) {
    const took = performance.now() - from
    const { records } = await stub.ask<Tally>('tally')
    if (records >= events && (await isIdle(url))) return took
    if (took > LONGEST_RECOVERY_MS)
      throw new Error(`Of ${events} acknowledged events ${records} were delivered`)
    await wait(POLL_MS)
  }
}

async function isIdle(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/readyz`).catch(() => undefined)
  const { bufferedShare } = Object(await answer?.json()) as { readonly bufferedShare?: number }
  return bufferedShare === 0
}
