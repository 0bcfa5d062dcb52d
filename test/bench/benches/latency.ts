import type { Bench } from '../bench.js'
import { withCleanup } from '../cleanup.js'
import type { Sent } from '../parts/load.js'
import { spread } from '../report.js'
import { checkSent, startLoad, startStub } from '../rig.js'
import { startServing, WRITE_KEY } from '../serving.js'

const PER_SECOND = 200
const CONNECTIONS = 64
const SECONDS = 4
const WARM_UP_SECONDS = 5

export const latencyBench: Bench = {
  name: 'latency',
  title: `latency at ${PER_SECOND} events/s, one in a body`,
  run: ({ rounds, seconds = SECONDS, delayMs = 0 }) =>
    withCleanup(async (cleanup) => {
      const stub = await startStub({ delayMs }, cleanup)
      const load = await startLoad(
        { eventsInBody: 1, connections: CONNECTIONS, writeKeys: [WRITE_KEY] },
        cleanup,
      )
      const ours = await startServing({ endpoint: stub.url }, cleanup)
      const run = async (name: string, url: string, seconds: number) => {
        const sent = await load.ask<Sent>('run', { url, seconds, requestsPerSecond: PER_SECOND })
        checkSent(name, sent)
        return sent.latencyMs
      }

      const measured: { readonly ours: Sent['latencyMs']; readonly stub: Sent['latencyMs'] }[] = []
      // Of the first requests some wait until the AWS SDK is loaded: more than there are connections.
      await load.ask<Sent>('run', { url: ours.url, seconds: WARM_UP_SECONDS, requestsPerSecond: PER_SECOND })
      for (let round = 0; round < rounds; round++) {
        measured.push({
          ours: await run('ours', ours.url, seconds),
          stub: await run('the stub', stub.url, seconds),
        })
      }
      const row = (name: 'ours' | 'stub') => [
        name,
        spread(
          measured.map((round) => round[name].p50),
          milliseconds,
        ),
        spread(
          measured.map((round) => round[name].p99),
          milliseconds,
        ),
      ]
      const added = (figure: 'p50' | 'p99') => measured.map(({ ours, stub }) => ours[figure] - stub[figure])
      return {
        notes: [`stub answers after ${delayMs} ms`],
        table: [['', 'p50', 'p99'], row('ours'), row('stub')],
        ratios: [
          { name: 'p50 added', values: added('p50'), atMost: 1, unit: 'ms' },
          { name: 'p99 added', values: added('p99'), atMost: 5, unit: 'ms' },
        ],
      }
    }),
}

function milliseconds(value: number): string {
  return `${value.toFixed(2)} ms`
}
