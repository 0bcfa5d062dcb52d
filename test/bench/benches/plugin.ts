import type { Bench } from '../bench.js'
import { type Cleanup, withCleanup } from '../cleanup.js'
import type { TrackerOptions } from '../parts/tracker.js'
import { measuresTable, startStub, startSubject } from '../rig.js'
import { interleave, type Measure, measure, ratioOf } from '../rounds.js'

type PluginName = TrackerOptions['plugin']

const IN_FLIGHT = 1_000
const TRACKS = 100_000
/** A burst takes as long as some rounds of the others. */
const ROUNDS_FOR_BURST = 3
const DELAY_MS = 30
const SECONDS = 3

export const pluginBenches: readonly Bench[] = [
  {
    name: 'plugin-paced',
    title: `plugin in analytics-node, at most ${IN_FLIGHT} in flight`,
    run: ({ rounds, seconds = SECONDS, delayMs = DELAY_MS }) =>
      withCleanup(async (cleanup) => {
        const { url } = await startStub({ delayMs }, cleanup)
        const work = (seconds: number) => ({ command: 'paced', input: { seconds, inFlight: IN_FLIGHT } })
        const start = (plugin: PluginName) =>
          startSubject(tracker({ plugin, url, pendingMs: delayMs }, work), cleanup)
        const subjects = [await start('ours'), await start('segment'), await start('empty')]
        const measures = await interleave(subjects, { rounds, seconds })
        return {
          notes: [`stub answers after ${delayMs} ms; empty: a plugin whose promise is pending as long`],
          table: measuresTable(measures),
          ratios: [
            ratioOf(measures, { of: 'ours', to: 'segment', figure: 'perCpuSecond', atLeast: 2 }),
            ratioOf(measures, { of: 'ours', to: 'empty', figure: 'perCpuSecond', atLeast: 0.8 }),
            ratioOf(measures, { of: 'ours', to: 'segment', figure: 'peakRssBytes', atMost: 1 }),
            ratioOf(measures, { of: 'ours', to: 'segment', figure: 'perSecond' }),
            ratioOf(measures, { of: 'ours', to: 'empty', figure: 'perSecond' }),
          ],
        }
      }),
  },
  {
    name: 'plugin-burst',
    title: `plugin, ${TRACKS} tracks in a tight loop`,
    run: ({ rounds, delayMs = 0 }) =>
      withCleanup(async (cleanup) => {
        const { url } = await startStub({ delayMs }, cleanup)
        const measures = new Map<string, Measure[]>([
          ['ours', []],
          ['empty', []],
        ])
        for (let round = 0; round < rounds / ROUNDS_FOR_BURST; round++) {
          for (const plugin of ['ours', 'empty'] as const) {
            measures.get(plugin)?.push(await burst(plugin, url))
          }
        }
        return {
          notes: [`stub answers after ${delayMs} ms; each round in a process of its own`],
          table: measuresTable(measures),
          ratios: [
            ratioOf(measures, { of: 'ours', to: 'empty', figure: 'perCpuSecond', atLeast: 0.6 }),
            ratioOf(measures, { of: 'ours', to: 'empty', figure: 'peakRssBytes', atMost: 1.3 }),
            ratioOf(measures, { of: 'ours', to: 'empty', figure: 'perSecond' }),
          ],
        }
      }),
  },
]

function burst(plugin: PluginName, url: string): Promise<Measure> {
  return withCleanup(async (cleanup: Cleanup) => {
    const work = () => ({ command: 'burst', input: { tracks: TRACKS } })
    return measure(await startSubject(tracker({ plugin, url, pendingMs: 0 }, work), cleanup), 0)
  })
}

function tracker(options: TrackerOptions, work: (seconds: number) => { command: string; input: object }) {
  return { name: options.plugin, program: 'tracker', options, work } as const
}
