import type { StreamReport } from '../plugin/delivery/stats.js'

/** What became of the records of each source's streams, by names. */
export type ProxyReport = Readonly<Record<string, Readonly<Record<string, StreamReport>>>>

/** The sums of what several report. */
export function joinedReport(reports: readonly ProxyReport[]): ProxyReport {
  const sums = new ReportSums()
  for (const [source, streams] of reports.flatMap((report) => Object.entries(report)))
    sums.add(source, streams)
  return sums.report
}

/** Sums of reports, by the names of sources and streams. */
export class ReportSums {
  readonly #sources = new Map<string, Map<string, StreamReport>>()

  add(source: string, streams: Readonly<Record<string, StreamReport>>): void {
    const sums = this.#sources.get(source) ?? new Map<string, StreamReport>()
    this.#sources.set(source, sums)
    for (const [stream, counts] of Object.entries(streams)) sums.set(stream, added(sums.get(stream), counts))
  }

  get report(): ProxyReport {
    return Object.fromEntries(
      [...this.#sources].map(([name, streams]) => [name, Object.fromEntries(streams)]),
    )
  }
}

function added(sum: StreamReport | undefined, counts: StreamReport): StreamReport {
  if (sum === undefined) return counts
  return {
    delivered: sum.delivered + counts.delivered,
    spilled: sum.spilled + counts.spilled,
    failed: sum.failed + counts.failed,
  }
}
