import type { Bench } from '../bench.js'
import { type Cleanup, withCleanup } from '../cleanup.js'
import type { LoadOptions } from '../parts/load.js'
import { measuresTable, startLoad, startStub, underLoad } from '../rig.js'
import { interleave, ratioOf, type Subject } from '../rounds.js'
import { type ServingOptions, startServing, WRITE_KEY } from '../serving.js'

interface Variant {
  readonly name: string
  readonly load: Partial<LoadOptions>
  readonly serving: Omit<ServingOptions, 'endpoint'>
}

const FOUR = [0, 1, 2, 3]
const EVENTS = FOUR.map((i) => `Event ${i}`)
const KEYS = FOUR.map((i) => `${WRITE_KEY}-${i}`)
const DELAY_MS = 5
const SECONDS = 2.5

const VARIANTS: readonly Variant[] = [
  { name: 'without', load: {}, serving: {} },
  { name: 'gzip', load: { isGzipped: true }, serving: {} },
  {
    name: '4 streams',
    load: { eventNames: EVENTS },
    serving: { mappedStreams: EVENTS.map((event, i) => ({ event, stream: `bench-${i}` })) },
  },
  { name: '4 sources', load: { writeKeys: KEYS }, serving: { writeKeys: KEYS } },
]

export const varietyBench: Bench = {
  name: 'variety',
  title: 'proxy, bodies of 100: gzip, 4 streams by mapping, 4 sources',
  run: ({ rounds, seconds = SECONDS, delayMs = DELAY_MS }) =>
    withCleanup(async (cleanup) => {
      const stub = await startStub({ delayMs }, cleanup)
      const subjects: Subject[] = []
      for (const variant of VARIANTS) {
        const server = await startServing({ endpoint: stub.url, ...variant.serving }, cleanup)
        const load = await startVariantLoad(variant, cleanup)
        subjects.push(underLoad(variant.name, server, { load, stub: stub.part }))
      }
      const measures = await interleave(subjects, { rounds, seconds })
      const compare = { to: 'without', figure: 'perCpuSecond', atLeast: 0.7 } as const
      return {
        notes: [`stub answers after ${delayMs} ms; gzip of the cheapest level`],
        table: measuresTable(measures),
        ratios: VARIANTS.slice(1).map(({ name }) => ratioOf(measures, { of: name, ...compare })),
      }
    }),
}

function startVariantLoad({ load }: Variant, cleanup: Cleanup) {
  return startLoad({ eventsInBody: 100, connections: 48, writeKeys: [WRITE_KEY], ...load }, cleanup)
}
