import type { Bench } from '../bench.js'
import { withCleanup } from '../cleanup.js'
import { eventNames, writeKeyOf } from '../parts/many.js'
import type { MiddlewareOptions } from '../parts/middleware.js'
import { measuresTable, startListening, startLoad, startStub, underLoad } from '../rig.js'
import { interleave, ratioOf, type Subject } from '../rounds.js'

const EVENTS_IN_BODY = 100
const CONNECTIONS = 48
const DELAY_MS = 5
const SECONDS = 2.5

export const manyBenches: readonly Bench[] = [
  manyBench('mapping', 'rows of the mapping', [1, 100, 10_000, 100_000], (rows) => ({ rows })),
  manyBench('sources', 'sources', [1, 100, 10_000], (sources) => ({ sources })),
]

function manyBench(
  name: string,
  what: string,
  counts: readonly number[],
  optionsOf: (count: number) => Omit<MiddlewareOptions, 'endpoint'>,
): Bench {
  return {
    name,
    title: `proxy, bodies of ${EVENTS_IN_BODY}: ${counts.join(', ')} ${what}`,
    run: ({ rounds, seconds = SECONDS, delayMs = DELAY_MS }) =>
      withCleanup(async (cleanup) => {
        const stub = await startStub({ delayMs }, cleanup)
        const subjects: Subject[] = []
        for (const count of counts) {
          const options = optionsOf(count)
          const server = await startListening('middleware', { endpoint: stub.url, ...options }, cleanup)
          const load = await startLoad(loadOf(options), cleanup)
          subjects.push(underLoad(String(count), server, { load, stub: stub.part }))
        }
        const measures = await interleave(subjects, { rounds, seconds })
        const compare = { to: '1', figure: 'perCpuSecond', atLeast: 0.9 } as const
        return {
          notes: [`stub answers after ${delayMs} ms; ours: firehoseProxy() on node:http`],
          table: measuresTable(measures),
          ratios: counts.slice(1).map((count) => ratioOf(measures, { of: String(count), ...compare })),
        }
      }),
  }
}

/** Events of rows all over the mapping; a source from the middle. */
function loadOf({ rows = 1, sources = 1 }: Omit<MiddlewareOptions, 'endpoint'>) {
  return {
    eventsInBody: EVENTS_IN_BODY,
    connections: CONNECTIONS,
    writeKeys: [writeKeyOf(Math.floor(sources / 2))],
    eventNames: eventNames(rows, EVENTS_IN_BODY),
  }
}
