// npm run bench [-- name …] [--rounds n] [--seconds n] [--delay ms] [--bomb text]
import { parseArgs } from 'node:util'
import type { Bench, Settings } from './bench.js'
import { bombBenches } from './benches/bombs.js'
import { costBench } from './benches/cost.js'
import { firehoseBenches } from './benches/firehose.js'
import { latencyBench } from './benches/latency.js'
import { manyBenches } from './benches/many.js'
import { outageBench } from './benches/outage.js'
import { pluginBenches } from './benches/plugin.js'
import { proxyBenches } from './benches/proxy.js'
import { startBench } from './benches/start.js'
import { varietyBench } from './benches/variety.js'
import { workersBench } from './benches/workers.js'
import { machine } from './machine.js'
import { printed } from './report.js'

const BENCHES: readonly Bench[] = [
  ...proxyBenches,
  varietyBench,
  ...firehoseBenches,
  ...pluginBenches,
  latencyBench,
  outageBench,
  ...manyBenches,
  startBench,
  workersBench,
  costBench,
  ...bombBenches,
]

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string' },
    delay: { type: 'string' },
    bomb: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
})

try {
  if (values.list) for (const { name, title } of BENCHES) console.log(`${name.padEnd(18)}${title}`)
  else await runAll(chosen(positionals), settings())
} catch (error) {
  process.exitCode = 1
  console.error(error instanceof Error ? error.message : error)
}

function settings(): Settings {
  return {
    rounds: Math.max(1, numberOf('rounds', values.rounds) ?? 1),
    seconds: numberOf('seconds', values.seconds),
    delayMs: numberOf('delay', values.delay),
    bomb: values.bomb,
  }
}

function numberOf(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (Number.isFinite(value) && value >= 0) return value
  throw new Error(`--${flag}: got ${text}; use a number`)
}

/** Those named, by whole names or by what they begin with; all but the long ones where none is. */
function chosen(names: readonly string[]): readonly Bench[] {
  const unknown = names.filter((name) => !BENCHES.some((bench) => bench.name.startsWith(name)))
  if (unknown.length > 0) {
    throw new Error(
      `No bench is called ${unknown.join(', ')}; there are ${BENCHES.map(({ name }) => name).join(', ')}`,
    )
  }
  return names.length === 0
    ? BENCHES.filter(({ isLong }) => isLong !== true)
    : BENCHES.filter((bench) => isNamed(bench, names))
}

function isNamed({ name }: Bench, names: readonly string[]): boolean {
  return (
    names.includes(name) ||
    names.some((start) => !BENCHES.some((bench) => bench.name === start) && name.startsWith(start))
  )
}

async function runAll(benches: readonly Bench[], settings: Settings): Promise<void> {
  console.log(machine())
  for (const { name, title, run } of benches) {
    console.log(`\n${name}: ${title}`)
    try {
      console.log(printed(await run(settings)))
    } catch (error) {
      process.exitCode = 1
      console.log(`  failed: ${error instanceof Error ? error.message : error}\n`)
    }
  }
}
