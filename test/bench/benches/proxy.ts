import type { Bench } from '../bench.js'
import { type Cleanup, withCleanup } from '../cleanup.js'
import { measuresTable, startListening, startLoad, startStub, underLoad } from '../rig.js'
import { type Goal, interleave, ratioOf } from '../rounds.js'
import { startServing, WRITE_KEY } from '../serving.js'

interface ProxyBench {
  readonly name: string
  readonly eventsInBody: number
  readonly connections: number
  readonly overPlain: number
}

const DELAY_MS = 5
const SECONDS = 3

export const proxyBenches: readonly Bench[] = [
  proxyBench({ name: 'proxy-100', eventsInBody: 100, connections: 48, overPlain: 2.2 }),
  proxyBench({ name: 'proxy-1', eventsInBody: 1, connections: 256, overPlain: 3 }),
]

function proxyBench({ name, eventsInBody, connections, overPlain }: ProxyBench): Bench {
  const title = `proxy, bodies of ${eventsInBody}, ${connections} connections`
  const run: Bench['run'] = ({ rounds, seconds = SECONDS, delayMs = DELAY_MS }) =>
    withCleanup(async (cleanup) => {
      const stub = await startStub({ delayMs }, cleanup)
      const load = await startLoad({ eventsInBody, connections, writeKeys: [WRITE_KEY] }, cleanup)
      const servers = await startServers(stub.url, cleanup)
      const subjects = servers.map(([name, server]) => underLoad(name, server, { load, stub: stub.part }))
      const measures = await interleave(subjects, { rounds, seconds })
      const goals: Goal[] = [
        { of: 'ours', to: 'plain', figure: 'perCpuSecond', atLeast: overPlain },
        { of: 'ours', to: 'floor', figure: 'perCpuSecond', atLeast: 0.8 },
        { of: 'ours', to: 'plain', figure: 'perSecond' },
        { of: 'ours', to: 'floor', figure: 'perSecond' },
        { of: 'ours', to: 'plain', figure: 'peakRssBytes' },
      ]
      return {
        notes: [`stub answers after ${delayMs} ms; ours: \`serve\`, deduplication and all`],
        table: measuresTable(measures),
        ratios: goals.map((goal) => ratioOf(measures, goal)),
      }
    })
  return { name, title, run }
}

async function startServers(endpoint: string, cleanup: Cleanup) {
  return [
    ['ours', await startServing({ endpoint }, cleanup)],
    ['plain', await startListening('plain', { endpoint }, cleanup)],
    ['floor', await startListening('floor', { endpoint }, cleanup)],
  ] as const
}
