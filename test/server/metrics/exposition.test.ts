import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { exposition } from '../../../server/metrics/exposition.js'
import { counter, gauge } from '../../../server/metrics/metric.js'
import { parseExposition, seriesValue } from './parse-exposition.js'

const CALLS = counter('calls_total', 'Calls made.')
const QUEUED = gauge('queued_records', 'Records that wait.')

describe('exposition', () => {
  it('has each name once, with its help and type, in order', () => {
    const text = exposition([
      { metric: QUEUED, labels: {}, value: 0.5 },
      { metric: CALLS, labels: { source: 'Website', stream: 'a' }, value: 1 },
      { metric: QUEUED, labels: { source: 'App' }, value: 2 },
      { metric: CALLS, labels: { source: 'Website', stream: 'b' }, value: 3e21 },
    ])
    expect(text).toBe(
      [
        '# HELP analytics_firehose_calls_total Calls made.',
        '# TYPE analytics_firehose_calls_total counter',
        'analytics_firehose_calls_total{source="Website",stream="a"} 1',
        'analytics_firehose_calls_total{source="Website",stream="b"} 3e+21',
        '# HELP analytics_firehose_queued_records Records that wait.',
        '# TYPE analytics_firehose_queued_records gauge',
        'analytics_firehose_queued_records 0.5',
        'analytics_firehose_queued_records{source="App"} 2',
        '',
      ].join('\n'),
    )
    expect([...parseExposition(text).keys()]).toHaveLength(2)
  })

  it('escapes what would end a label or its line', () => {
    const labels = { source: 'a\\b"} 9\nup{c="' }
    expect(exposition([{ metric: QUEUED, labels, value: 1 }])).toContain(
      '{source="a\\\\b\\"} 9\\nup{c=\\""} 1\n',
    )
  })

  it('escapes a help of several lines', () => {
    const metric = gauge('x', 'one\\\ntwo')
    expect(exposition([{ metric, labels: {}, value: 1 }])).toContain('_x one\\\\\\ntwo\n')
  })

  it('gives any label back, and nothing beside it', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom(...'\\"\n\r{}=, n') }),
    )
    fc.assert(
      fc.property(text, text, fc.nat(), (source, stream, value) => {
        const page = exposition([{ metric: QUEUED, labels: { source, stream }, value }])
        expect(seriesValue(page, `queued_records{source="${source}",stream="${stream}"}`)).toBe(value)
        expect(page.split('\n')).toHaveLength(4)
      }),
    )
  })

  it('of nothing is empty', () => {
    expect(exposition([])).toBe('')
  })
})
