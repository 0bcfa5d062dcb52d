import { describe, expect, it } from '@jest/globals'
import { counter, type Sample } from '../../../server/metrics/metric.js'
import { WorkerTotals } from '../../../server/metrics/worker-totals.js'

const CALLS = counter('calls_total', 'Calls made.')
const CLIENTS = counter('assume_role_calls_total', 'Calls of STS made.')

const calls = (value: number, source = 'Website'): Sample => ({ metric: CALLS, labels: { source }, value })
const assumed = (value: number): Sample => ({ metric: CLIENTS, labels: {}, value })

function valuesOf(totals: WorkerTotals): Record<string, number> {
  return Object.fromEntries(
    totals.samples().map(({ metric, labels, value }) => [labels['source'] ?? metric.name, value]),
  )
}

describe('totals of workers', () => {
  it('are sums of what each told last', () => {
    const totals = new WorkerTotals()
    totals.take(0, 100, [calls(1), assumed(1)])
    totals.take(1, 101, [calls(10), calls(5, 'App'), assumed(2)])
    totals.take(0, 100, [calls(3), assumed(1)])
    expect(valuesOf(totals)).toEqual({ Website: 13, App: 5, assume_role_calls_total: 3 })
  })

  it('keep what a worker told before another took its place, however much that one counts', () => {
    const totals = new WorkerTotals()
    totals.take(0, 100, [calls(3)])
    totals.take(1, 101, [calls(10)])
    expect(valuesOf(totals)).toEqual({ Website: 13 })
    totals.take(1, 102, [calls(0)])
    expect(valuesOf(totals)).toEqual({ Website: 13 })
    totals.take(1, 102, [calls(11)])
    expect(valuesOf(totals)).toEqual({ Website: 24 })
    totals.take(1, 103, [calls(12)])
    expect(valuesOf(totals)).toEqual({ Website: 36 })
  })

  it('do not go back where a source of a worker begins anew, or a stream of it is gone', () => {
    const totals = new WorkerTotals()
    const stream = (name: string, value: number): Sample => ({
      metric: CALLS,
      labels: { source: 'Website', stream: name },
      value,
    })
    totals.take(0, 100, [stream('a', 5), stream('b', 7)])
    totals.take(0, 100, [stream('a', 1)])
    expect(totals.samples().map(({ labels, value }) => [labels['stream'], value])).toEqual([
      ['a', 6],
      ['b', 7],
    ])
  })

  it('forget a source that nobody serves any more', () => {
    const totals = new WorkerTotals()
    totals.take(0, 100, [calls(1), calls(1, 'Old')])
    totals.take(1, 101, [calls(1), calls(1, 'Old')])
    totals.take(0, 100, [calls(2)])
    expect(valuesOf(totals)).toEqual({ Website: 3, Old: 2 })
    totals.take(1, 101, [calls(2)])
    expect(valuesOf(totals)).toEqual({ Website: 4 })
    totals.take(1, 101, [calls(2), calls(1, 'Old')])
    expect(valuesOf(totals)).toEqual({ Website: 4, Old: 1 })
  })

  it('tell names apart that look alike when they are put together', () => {
    const totals = new WorkerTotals()
    const of = (source: string, stream: string): Sample => ({
      metric: CALLS,
      labels: { source, stream },
      value: 1,
    })
    totals.take(0, 100, [of('a","b', 'c'), of('a', 'b","c')])
    expect(totals.samples()).toHaveLength(2)
  })
})
