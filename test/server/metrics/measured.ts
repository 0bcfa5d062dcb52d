import type { StreamStats } from '../../../plugin/delivery/stats.js'
import type { ProcessUsage, ServeMeasures, WorkerMeasures } from '../../../server/metrics/measures.js'
import type { ProxyStats, SourceStats } from '../../../server/proxy-stats.js'

export const USAGE: ProcessUsage = {
  residentBytes: 1_000,
  cpuSeconds: 2.5,
  busySeconds: 1.5,
  lagSeconds: 0.25,
  startedAtSeconds: 1_767_225_600.5,
}

export function streamStats(parts: Partial<StreamStats> = {}): StreamStats {
  return {
    delivered: 0,
    spilled: 0,
    failed: 0,
    resent: 0,
    calls: 0,
    queued: 0,
    queuedBytes: 0,
    callsInFlight: 0,
    api: 'PutRecordBatch',
    circuit: 'closed',
    ...parts,
  }
}

export function sourceStats(parts: Partial<SourceStats> = {}): SourceStats {
  const none = { delivered: 0, spilled: 0, failed: 0, unmapped: 0, off: 0, dropped: 0, duplicates: 0 }
  return { ...none, streams: {}, ...parts }
}

export function measures(pid: number, stats: Partial<ProxyStats> = {}): WorkerMeasures {
  return {
    pid,
    maxBufferedBytes: 100,
    usage: USAGE,
    stats: {
      requests: { accepted: 0, refused: 0, deferred: 0 },
      requestsByStatus: {},
      quarantined: 0,
      bufferedBytes: 0,
      receivingBytes: 0,
      clients: { clients: 0, evictions: 0, assumeRoleCalls: 0 },
      sources: {},
      ...stats,
    },
  }
}

export function measured(
  workers: ServeMeasures['workers'],
  parts: Partial<ServeMeasures> = {},
): ServeMeasures {
  return { workers, restarts: 0, primary: undefined, ...parts }
}
