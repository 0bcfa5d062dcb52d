import { describe, expect, it } from '@jest/globals'
import { systemClock } from '../../../plugin/clock.js'
import { measuresOf, type ServeMeasures } from '../../../server/metrics/measures.js'
import { MetricsPage } from '../../../server/metrics/metrics-page.js'
import { proxyHarness, WEB_KEY } from '../proxy-harness.js'
import { measured, measures, sourceStats, streamStats, USAGE } from './measured.js'
import { parseExposition, seriesValue } from './parse-exposition.js'

const AT = '{source="Website",stream="everything"}'

/** A page of what is set as `now`. */
function pageOf(first: ServeMeasures) {
  const asked = { now: first, times: 0 }
  const page = new MetricsPage(async () => {
    asked.times++
    return asked.now
  })
  return { asked, page }
}

function website(parts: Parameters<typeof streamStats>[0], of: Parameters<typeof sourceStats>[0] = {}) {
  return { sources: { Website: sourceStats({ streams: { everything: streamStats(parts) }, ...of }) } }
}

async function values(page: MetricsPage, ...series: readonly string[]) {
  const text = await page.text()
  return series.map((it) => seriesValue(text, it))
}

describe('the metrics page', () => {
  it('has all that one process counts', async () => {
    const stats = {
      ...website(
        {
          delivered: 1,
          spilled: 2,
          failed: 3,
          resent: 4,
          calls: 5,
          queued: 6,
          queuedBytes: 7,
          callsInFlight: 8,
          api: 'PutRecord',
          circuit: 'half-open',
        },
        {
          delivered: 11,
          unmapped: 12,
          duplicates: 13,
          deadLetterBytes: 14,
          forwarding: { forwarded: 21, dropped: 22, retried: 23, queued: 24, queuedBytes: 25 },
        },
      ),
      requestsByStatus: { 200: 31, 503: 32 },
      quarantined: 33,
      bufferedBytes: 34,
      receivingBytes: 35,
      deadLetterBytes: 36,
      clients: { clients: 41, evictions: 42, assumeRoleCalls: 43 },
      spill: { files: 51, records: 52, bytes: 53, oldestAgeMs: 5_400 },
    }
    const { page } = pageOf(measured([measures(100, stats)]))
    const lines = (await page.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
    expect(lines.map((line) => line.replace('analytics_firehose_', ''))).toEqual([
      `api_workers{source="Website",stream="everything",api="PutRecord"} 1`,
      `api_workers{source="Website",stream="everything",api="PutRecordBatch"} 0`,
      'assume_role_calls_total 43',
      'aws_client_evictions_total 42',
      'aws_clients 41',
      'buffer_capacity_bytes 100',
      'buffered_bytes 34',
      `calls_in_flight${AT} 8`,
      `calls_total${AT} 5`,
      'circuit_workers{source="Website",stream="everything",state="closed"} 0',
      'circuit_workers{source="Website",stream="everything",state="open"} 0',
      'circuit_workers{source="Website",stream="everything",state="half-open"} 1',
      'dead_letter_bytes 36',
      'event_loop_busy_seconds_total{worker="1"} 1.5',
      'event_loop_lag_seconds{worker="1"} 0.25',
      'events_total{source="Website",outcome="delivered"} 11',
      'events_total{source="Website",outcome="spilled"} 0',
      'events_total{source="Website",outcome="failed"} 0',
      'events_total{source="Website",outcome="unmapped"} 12',
      'events_total{source="Website",outcome="off"} 0',
      'events_total{source="Website",outcome="dropped"} 0',
      'events_total{source="Website",outcome="duplicate"} 13',
      'forward_dropped_requests_total{source="Website"} 22',
      'forward_queued_bytes{source="Website"} 25',
      'forward_queued_requests{source="Website"} 24',
      'forward_retries_total{source="Website"} 23',
      'forwarded_requests_total{source="Website"} 21',
      'process_cpu_seconds_total{worker="1"} 2.5',
      'process_resident_memory_bytes{worker="1"} 1000',
      'process_start_time_seconds{worker="1"} 1767225600.5',
      'quarantined_events_total 33',
      `queued_bytes${AT} 7`,
      `queued_records${AT} 6`,
      'receiving_bytes 35',
      `records_delivered_total${AT} 1`,
      `records_failed_total${AT} 3`,
      `records_resent_total${AT} 4`,
      `records_spilled_total${AT} 2`,
      'requests_total{status="200"} 31',
      'requests_total{status="503"} 32',
      'source_dead_letter_bytes{source="Website"} 14',
      'spill_bytes 53',
      'spill_files 51',
      'spill_oldest_age_seconds 5.4',
      'spill_records 52',
      'worker_reports_missing 0',
      'worker_restarts_total 0',
      'workers 1',
    ])
  })

  it('sums up workers, but for the spill that they share and what each uses', async () => {
    const spill = (records: number) => ({ files: 1, records, bytes: 9, oldestAgeMs: records * 1_000 })
    const { page } = pageOf(
      measured(
        [
          measures(100, { ...website({ delivered: 1, queued: 2, circuit: 'open' }), spill: spill(5) }),
          measures(101, { ...website({ delivered: 10, queued: 20 }), spill: spill(4) }),
        ],
        { restarts: 3, primary: USAGE },
      ),
    )
    expect(
      await values(
        page,
        `records_delivered_total${AT}`,
        `queued_records${AT}`,
        'circuit_workers{source="Website",stream="everything",state="open"}',
        'circuit_workers{source="Website",stream="everything",state="closed"}',
        'spill_records',
        'spill_oldest_age_seconds',
        'buffer_capacity_bytes',
        'worker_restarts_total',
        'workers',
      ),
    ).toEqual([11, 22, 1, 1, 5, 5, 200, 3, 2])
    const memory = parseExposition(await page.text()).get('analytics_firehose_process_resident_memory_bytes')
    expect([...(memory?.series.keys() ?? [])]).toEqual(['{worker="1"}', '{worker="2"}', '{worker="primary"}'])
  })

  it('counts a worker without an answer, keeps its counters and leaves out its gauges', async () => {
    const first = measures(100, website({ delivered: 1, queued: 2 }))
    const { page, asked } = pageOf(measured([first, measures(101, website({ delivered: 10, queued: 20 }))]))
    const series = [
      `records_delivered_total${AT}`,
      `queued_records${AT}`,
      'worker_reports_missing',
      'process_resident_memory_bytes{worker="2"}',
    ]
    expect(await values(page, ...series)).toEqual([11, 22, 0, 1_000])
    asked.now = measured([first, undefined])
    expect(await values(page, ...series)).toEqual([11, 2, 1, undefined])
    asked.now = measured([first, measures(102, website({ delivered: 3, queued: 4 }))])
    expect(await values(page, ...series)).toEqual([14, 6, 0, 1_000])
  })

  it('asks once for all who ask at the same time, and anew for the next', async () => {
    const { page, asked } = pageOf(measured([measures(100)]))
    await Promise.all([page.text(), page.text()])
    expect(asked.times).toBe(1)
    await page.text()
    expect(asked.times).toBe(2)
  })

  it('is made anew after it could not be made', async () => {
    let isBroken = true
    const page = new MetricsPage(async () => {
      if (isBroken) throw new Error('broken')
      return measured([undefined])
    })
    await expect(page.text()).rejects.toThrow('broken')
    isBroken = false
    expect(await values(page, 'worker_reports_missing')).toEqual([1])
  })

  it('tells of a real proxy with all its numbers, and no secret', async () => {
    const { proxy, web } = proxyHarness()
    const { page, asked } = pageOf(measured([]))
    const of = await measuresOf(proxy, 1_000, systemClock)
    expect(of.usage.residentBytes).toBeGreaterThan(1_000_000)
    // As it comes from another process.
    asked.now = measured([JSON.parse(JSON.stringify(of))])
    const text = await page.text()
    expect(seriesValue(text, 'events_total{source="Website",outcome="delivered"}')).toBe(0)
    expect(text).not.toContain(WEB_KEY)
    expect(text).not.toMatch(/src_|undefined|NaN/)
    expect(web.calls).toEqual([])
  })
})
