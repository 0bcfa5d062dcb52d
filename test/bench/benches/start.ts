import type { Bench } from '../bench.js'
import { type Cleanup, withCleanup } from '../cleanup.js'
import { type Part, startPart } from '../part.js'
import { spread } from '../report.js'
import { startServing } from '../serving.js'

const STARTS_IN_ROUND = 3
const SDK = ['@aws-sdk/client-firehose', '@aws-sdk/client-sts']

interface Start {
  readonly wallMs: number
  readonly cpuMs: number
}

type Starter = (cleanup: Cleanup) => Promise<Part>

const STARTERS: Readonly<Record<string, Starter>> = {
  'serve until ready': async (cleanup) => {
    const { part } = await startServing({ endpoint: 'http://127.0.0.1:9' }, cleanup)
    return part
  },
  "import 'analytics-firehose'": importing(['analytics-firehose']),
  "import 'analytics-firehose/server'": importing(['analytics-firehose/server']),
  'import the SDK clients': importing(SDK),
}

const BASELINE = 'import the SDK clients'

export const startBench: Bench = {
  name: 'start',
  title: 'start of a process, Node.js included',
  run: async ({ rounds }) => {
    const names = Object.keys(STARTERS)
    const starts = new Map<string, Start[]>(names.map((name) => [name, []]))
    // The first one reads from the disk.
    for (const starter of Object.values(STARTERS)) await timed(starter)
    for (let round = 0; round < rounds * STARTS_IN_ROUND; round++) {
      for (const [name, starter] of Object.entries(STARTERS)) starts.get(name)?.push(await timed(starter))
    }
    const figures = (name: string, figure: keyof Start) =>
      (starts.get(name) ?? []).map((start) => start[figure])
    const rows = names.map((name) => [
      name,
      spread(figures(name, 'wallMs'), milliseconds),
      spread(figures(name, 'cpuMs'), milliseconds),
    ])
    const base = figures(BASELINE, 'wallMs')
    return {
      notes: [`${rounds * STARTS_IN_ROUND} starts of each, in turn`],
      table: [['', 'until ready', 'CPU time'], ...rows],
      ratios: names.slice(0, -1).map((name) => ({
        name: `${name} / SDK clients alone`,
        values: figures(name, 'wallMs').map((wallMs, i) => wallMs / (base[i] ?? Number.NaN)),
        atMost: 1.2,
      })),
    }
  },
}

function importing(modules: readonly string[]): Starter {
  return async (cleanup) => {
    const { part } = await startPart('importer', { modules })
    cleanup.defer(() => part.stop())
    return part
  }
}

function timed(starter: Starter): Promise<Start> {
  return withCleanup(async (cleanup) => {
    const from = performance.now()
    const part = await starter(cleanup)
    const wallMs = performance.now() - from
    const { cpuMs } = await part.usage()
    return { wallMs, cpuMs }
  })
}

function milliseconds(value: number): string {
  return `${Math.round(value)} ms`
}
