import { cpuUsage, memoryUsage, pid } from 'node:process'
import type { Clock } from '../../plugin/clock.js'
import type { ProxyStats } from '../proxy-stats.js'

/** What a process uses of its machine. */
export interface ProcessUsage {
  readonly residentBytes: number
  /** User's and system's, since the start. */
  readonly cpuSeconds: number
  /** In which the event loop was at work, since the start. */
  readonly busySeconds: number
  /** How long the event loop took to come to what was to be done next, when this was asked for. */
  readonly lagSeconds: number
  /** Since 1970. */
  readonly startedAtSeconds: number
}

/** What one process that serves tells of itself. It goes from process to process, as JSON. */
export interface WorkerMeasures {
  readonly pid: number
  readonly stats: ProxyStats
  /** Of which `stats.bufferedBytes` are in use. */
  readonly maxBufferedBytes: number
  readonly usage: ProcessUsage
}

/** What all that serve tell when they are asked. */
export interface ServeMeasures {
  /** By their places; `undefined` where there was no answer in time. */
  readonly workers: readonly (WorkerMeasures | undefined)[]
  /** Workers that took the place of another. */
  readonly restarts: number
  /** Of the process that started the workers, if another did. */
  readonly primary: ProcessUsage | undefined
}

type UsageClock = Pick<Clock, 'now' | 'defer'>

export async function measuresOf(
  proxy: { stats(): ProxyStats },
  maxBufferedBytes: number,
  clock: UsageClock,
): Promise<WorkerMeasures> {
  const usage = await processUsage(clock)
  return { pid, stats: proxy.stats(), maxBufferedBytes, usage }
}

export async function processUsage(clock: UsageClock): Promise<ProcessUsage> {
  const askedAt = clock.now()
  await new Promise<void>((resolve) => clock.defer(resolve))
  const { user, system } = cpuUsage()
  return {
    residentBytes: memoryUsage.rss(),
    cpuSeconds: (user + system) / 1e6,
    busySeconds: performance.eventLoopUtilization().active / 1e3,
    lagSeconds: (clock.now() - askedAt) / 1e3,
    startedAtSeconds: performance.timeOrigin / 1e3,
  }
}
