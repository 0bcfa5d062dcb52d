import { execFileSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import type { Bench } from '../bench.js'
import { withCleanup } from '../cleanup.js'
import { BINARY } from '../places.js'
import { spread, wholeNumber } from '../report.js'
import { startLoad, startStub, underLoad } from '../rig.js'
import { interleave, ratioOf } from '../rounds.js'
import { startServing, WRITE_KEY } from '../serving.js'

const DELAY_MS = 5
const SECONDS = 4
/** Two workers, the load, the stub. */
const CORES_NEEDED = 4

export const workersBench: Bench = {
  name: 'workers',
  title: 'serve --workers 2, bodies of 100',
  run: async ({ rounds, seconds = SECONDS, delayMs = DELAY_MS }) => {
    const help = execFileSync(process.execPath, [BINARY, 'serve', '--help'], { encoding: 'utf8' })
    if (!help.includes('--workers')) return { skipped: '`serve` has no flag --workers' }
    return withCleanup(async (cleanup) => {
      const stub = await startStub({ delayMs }, cleanup)
      const load = await startLoad({ eventsInBody: 100, connections: 48, writeKeys: [WRITE_KEY] }, cleanup)
      const start = async (workers: number) => {
        const flags = ['--workers', String(workers)]
        const server = await startServing({ endpoint: stub.url, flags }, cleanup)
        return underLoad(String(workers), server, { load, stub: stub.part })
      }
      const measures = await interleave([await start(2), await start(1)], { rounds, seconds })
      const rows = [...measures].map(([workers, rounds]) => [
        workers,
        spread(
          rounds.map(({ perSecond }) => perSecond),
          wholeNumber,
        ),
      ])
      const cores = availableParallelism()
      const isShort = cores < CORES_NEEDED
      return {
        notes: isShort
          ? [
              `no goal here: ${CORES_NEEDED} cores are needed for two workers, load and stub, there are ${cores}`,
            ]
          : [],
        table: [['workers', 'events/s'], ...rows],
        ratios: [
          ratioOf(measures, { of: '2', to: '1', figure: 'perSecond', ...(!isShort && { atLeast: 1.7 }) }),
        ],
      }
    })
  },
}
