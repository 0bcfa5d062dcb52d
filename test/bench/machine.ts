import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os'
import { mebibytes } from './report.js'

/** What the figures depend on. */
export function machine(): string {
  const [cpu] = cpus()
  const [load = 0] = loadavg()
  return [
    `Node.js ${process.versions.node}`,
    `${process.platform} ${release()} ${process.arch}`,
    `${availableParallelism()} cores (${cpu?.model.trim() ?? 'unknown'})`,
    mebibytes(totalmem()),
    `load before ${load.toFixed(2)}`,
  ].join(', ')
}
