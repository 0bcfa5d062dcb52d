import type { ProcessUsage, ServeMeasures } from './measures.js'
import { counter, gauge, type Metric, type Sample } from './metric.js'

const WORKERS = gauge('workers', 'Processes that are to serve.')
const MISSING = gauge(
  'worker_reports_missing',
  'Workers that are not there or did not answer in time: no gauge counts them in, and counters have what they told last.',
)
const RESTARTS = counter('worker_restarts_total', 'Workers that took the place of one that had ended.')

const USAGE = [
  [gauge('process_resident_memory_bytes', 'Resident memory.'), 'residentBytes'],
  [counter('process_cpu_seconds_total', "User's and system's CPU time."), 'cpuSeconds'],
  [gauge('process_start_time_seconds', 'When the process started, since 1970.'), 'startedAtSeconds'],
  [counter('event_loop_busy_seconds_total', 'Time in which the event loop was at work.'), 'busySeconds'],
  [gauge('event_loop_lag_seconds', 'Wait of the event loop when this was asked for.'), 'lagSeconds'],
] as const satisfies readonly (readonly [Metric, keyof ProcessUsage])[]

/** What is told of the processes themselves, one by one. */
export function workerSamples({ workers, restarts, primary }: ServeMeasures): Sample[] {
  const missing = workers.filter((it) => it === undefined).length
  return [
    { metric: WORKERS, labels: {}, value: workers.length },
    { metric: MISSING, labels: {}, value: missing },
    { metric: RESTARTS, labels: {}, value: restarts },
    ...workers.flatMap((it, i) => (it === undefined ? [] : usageSamples(it.usage, String(i + 1)))),
    ...(primary === undefined ? [] : usageSamples(primary, 'primary')),
  ]
}

function usageSamples(usage: ProcessUsage, worker: string): Sample[] {
  return USAGE.map(([metric, name]) => ({ metric, labels: { worker }, value: usage[name] }))
}
