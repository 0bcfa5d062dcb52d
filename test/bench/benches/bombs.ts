import { setTimeout as wait } from 'node:timers/promises'
import type { Bench } from '../bench.js'
import { type Cleanup, withCleanup } from '../cleanup.js'
import { startPart } from '../part.js'
import type { Fire, Fired } from '../parts/bomber.js'
import { BOMBS, type Bomb } from '../parts/bombs.js'
import type { Seen } from '../parts/witness.js'
import { ProcessTree } from '../processes.js'
import { wholeNumber } from '../report.js'
import { startStub } from '../rig.js'
import { type Serving, startServing } from '../serving.js'
import { turnsIn } from '../turns.js'

const MIB = 1024 * 1024
const WRITE_KEY = 'honest'
/** One alone, and several at once. */
const COUNTS = [1, 13]
const WARM_UP_MS = 1_500
/** What honest clients meet after the bombs is looked at for so long. */
const AFTER_MS = 1_000
const LONGEST_RECOVERY_MS = 30_000

interface Setting {
  /** Of V8's heap, in MB; without it Node.js's own limit. */
  readonly heapMb: number | undefined
  readonly workers: number
}

const SETTINGS: readonly Setting[] = [128, 256, undefined].flatMap((heapMb) =>
  [1, 2].map((workers) => ({ heapMb, workers })),
)

/** Bodies of hostile senders, each alone and many at once, while honest ones go on. */
export const bombBenches: readonly Bench[] = SETTINGS.map((setting) => {
  const { heapMb, workers } = setting
  return {
    name: `bombs-${heapMb ?? 'default'}-${workers}`,
    title: `bodies that cost more than their size, a heap of ${heapMb ?? 'the default'} MB, ${workers} worker(s)`,
    isLong: true,
    run: async ({ bomb }) => ({ table: [HEAD, ...(await rowsOf(setting, bomb))] }),
  }
})

const HEAD = [
  'bomb',
  'on the wire',
  'inflated',
  'at once',
  'answers',
  'in s',
  'RSS +MiB',
  'turn ms',
  'probe ms',
  'honest',
  'deferred',
  'failed',
  'back after s',
]

async function rowsOf(setting: Setting, only = ''): Promise<string[][]> {
  const rows: string[][] = []
  for (const bomb of BOMBS.filter(({ name }) => name.includes(only))) {
    rows.push(...(await withCleanup((cleanup) => drop(bomb, setting, cleanup))))
    // It takes long: what there is of it is shown.
    for (const row of rows.slice(-COUNTS.length)) console.error(row.join(' | '))
  }
  return rows
}

/** Each in a process of its own: memory that was needed once is not given back. */
async function drop(bomb: Bomb, { heapMb, workers }: Setting, cleanup: Cleanup): Promise<string[][]> {
  const stub = await startStub({ delayMs: 5 }, cleanup)
  const serving = await startServing(
    {
      endpoint: stub.url,
      sources: SOURCES,
      files: { 'transform.cjs': 'module.exports = (event) => event' },
      flags: ['--workers', String(workers)],
      preload: ['turns'],
      env: heapMb === undefined ? {} : { NODE_OPTIONS: `--max-old-space-size=${heapMb}` },
    },
    cleanup,
  )
  const bombing = await startBombing(serving, workers, cleanup)
  const rows: string[][] = []
  for (const count of COUNTS) rows.push(await bombing(bomb, count))
  return rows
}

const SOURCES = [
  { id: 'honest', writeKey: WRITE_KEY },
  { id: 'plain', writeKey: 'bombed-plain' },
  { id: 'ip-drop', writeKey: 'bombed-ip-drop', ip: 'drop' },
  { id: 'transform', writeKey: 'bombed-transform', destination: { transform: './transform.cjs' } },
]

async function startBombing({ part, url, cwd }: Serving, processes: number, cleanup: Cleanup) {
  const tree = new ProcessTree(part.pid)
  const { part: bomber } = await startPart('bomber', {})
  cleanup.defer(() => bomber.stop())
  const { part: witness } = await startPart('witness', { url, writeKey: WRITE_KEY, processes })
  cleanup.defer(() => witness.stop())
  await wait(WARM_UP_MS)
  const idleBytes = tree.residentBytes
  const pids = tree.pids.join()

  return async (bomb: Bomb, count: number): Promise<string[]> => {
    tree.forgetPeak()
    await witness.ask('begin')
    const from = Date.now()
    const fired = await bomber.ask<Fired>('fire', { url, name: bomb.name, count } satisfies Fire)
    const firedAt = Date.now()
    const seen = await recovered(() => witness.ask<Seen>('end'))
    const turns = turnsIn(cwd).filter(({ at }) => at >= from)
    const isAlive = !part.hasEnded && pids === tree.pids.join()
    return [
      ...(count === COUNTS[0]
        ? [bomb.name, wholeNumber(fired.wireBytes), wholeNumber(fired.bytes)]
        : ['', '', '']),
      String(count),
      Object.entries(fired.answers)
        .map(([answer, times]) => `${times} × ${answer}`)
        .join(', '),
      fired.seconds.toFixed(1),
      isAlive ? wholeNumber((tree.peakBytes - idleBytes) / MIB) : 'DIED',
      wholeNumber(Math.max(0, ...turns.map(({ cpuMs }) => cpuMs))),
      wholeNumber(seen.longestMs),
      wholeNumber(seen.requests),
      wholeNumber(seen.deferred),
      Object.entries(seen.failures)
        .map(([status, times]) => `${times} × ${status}`)
        .join(', ') || '0',
      (Math.max(0, seen.lastRefusalAt - firedAt) / 1_000).toFixed(1),
    ]
  }
}

/** Waits until no honest request has been refused for a while. */
async function recovered(look: () => Promise<Seen>): Promise<Seen> {
  const from = Date.now()
  for (;;) {
    await wait(AFTER_MS)
    const seen = await look()
    const isOver = Date.now() - seen.lastRefusalAt > AFTER_MS || Date.now() - from > LONGEST_RECOVERY_MS
    if (isOver) return seen
  }
}
