import { describe, expect, it } from '@jest/globals'
import { Planner, type Selection } from '../../../server/replay/plan.js'
import { readReplayEvent } from '../../../server/replay/replay-event.js'
import { configurationOf, event, letter } from './harness.js'

const { sources } = configurationOf([
  ['src_web', { mappedStreams: { 'Order Done': 'orders', page: ['pages', 'audit'] } }],
  ['src_two', [{ mappedStreams: { '*': 'all' } }, { mappedStreams: { '*': ['all', 'second'] } }]],
])

/** Where the line goes: `0/orders`, or why it does not. */
function plan(line: object, selection: Selection = {}, fileStream?: string): unknown {
  const read = readReplayEvent(Buffer.from(JSON.stringify(line)))
  if (typeof read === 'string' || 'problem' in read) return read
  const result = new Planner(sources, selection).plan(read, fileStream)
  if (!('sends' in result)) return result
  return result.sends.map(({ lane, record }) => `${lane.index}/${record.stream}`)
}

/** What is sent of the line. */
function sent(line: object, selection: Selection = {}): Record<string, unknown> {
  const read = readReplayEvent(Buffer.from(JSON.stringify(line)))
  if (typeof read === 'string' || 'problem' in read) throw new Error(JSON.stringify(read))
  const result = new Planner(sources, selection).plan(read, undefined)
  if (!('sends' in result)) throw new Error(JSON.stringify(result))
  return JSON.parse(Buffer.from(result.sends[0]?.record.data ?? []).toString())
}

const page = { type: 'page', event: undefined }

describe('where an event goes', () => {
  it.each<[string, object, Selection, unknown]>([
    ['by the mapping', event(1), {}, ['0/orders']],
    ['by the mapping to several', event(1, page), {}, ['0/pages', '0/audit']],
    ['of several, to the one asked for', event(1, page), { stream: 'audit' }, ['0/audit']],
    ['not meant for the one asked for', event(1), { stream: 'audit' }, { skip: 'for another stream' }],
    ['a dead letter to its stream', letter(1, { stream: 'gone' }), {}, ['0/gone']],
    ['a dead letter of the stream', letter(1, { stream: 'gone' }), { stream: 'gone' }, ['0/gone']],
    [
      'a dead letter of another',
      letter(1, { stream: 'gone' }),
      { stream: 'orders' },
      { skip: 'for another stream' },
    ],
    ['to another', event(1, page), { to: 'new' }, ['0/new']],
    ['to another, from the one asked for', event(1, page), { stream: 'audit', to: 'new' }, ['0/new']],
    ['to another, not from it', event(1), { stream: 'audit', to: 'new' }, { skip: 'for another stream' }],
    ['a dead letter to another', letter(1, { stream: 'orders' }), { to: 'new' }, ['0/new']],
    ['without a row', event(1, { event: 'X' }), {}, { skip: 'in no row of mappedStreams' }],
    ['without a row to another', event(1, { event: 'X' }), { to: 'new' }, ['0/new']],
    [
      'switched off',
      event(1, { integrations: { All: false } }),
      {},
      { skip: 'switched off by integrations' },
    ],
    [
      'switched off, to another',
      event(1, { integrations: { All: false } }),
      { to: 'new' },
      { skip: 'switched off by integrations' },
    ],
    ['of several destinations', event(1, { projectId: 'src_two' }), {}, ['0/all', '1/all', '1/second']],
    ['the destination that maps to it', letter(1, { source: 'src_two', stream: 'second' }), {}, ['1/second']],
    [
      'no destination that maps to it',
      letter(1, { source: 'src_two', stream: 'gone' }),
      {},
      { fail: 'no destination for its stream' },
    ],
  ])('%s', (_what, line, selection, expected) => {
    expect(plan(line, selection)).toEqual(expected)
  })

  it('is the stream of the file, where its name says one', () => {
    expect(plan(event(1), {}, 'audit')).toEqual(['0/audit'])
    expect(plan(event(1), { stream: 'orders' }, 'audit')).toEqual({ skip: 'for another stream' })
  })
})

describe('whose an event is', () => {
  const { projectId: _none, ...ofNone } = event(1)
  it.each<[string, object, Selection, unknown]>([
    ['of none', ofNone, {}, { fail: 'no source' }],
    ['of one that is gone', event(1, { projectId: 'src_x' }), {}, { fail: 'source not in the config file' }],
    ['of none, with --source', ofNone, { source: 'src_web' }, ['0/orders']],
    ['of another, with --source', event(1, { projectId: 'src_two' }), { source: 'src_web' }, ['0/orders']],
    [
      'with an unknown write key',
      letter(1, { source: null, code: 'ERR_UNKNOWN_WRITE_KEY' }),
      {},
      { skip: 'unknown write key' },
    ],
    [
      'with an unknown write key, with --source',
      letter(1, { source: null, code: 'ERR_UNKNOWN_WRITE_KEY' }),
      { source: 'src_web' },
      ['0/orders'],
    ],
  ])('%s', (_what, line, selection, expected) => {
    expect(plan(line, selection)).toEqual(expected)
  })
})

describe('when an event was', () => {
  const at = (text: string) => Date.parse(text)
  const day = { since: at('2026-01-02'), until: at('2026-01-03') }
  const outside = { skip: 'outside --since and --until' }
  it.each<[object, Selection, unknown]>([
    [event(1, { receivedAt: '2026-01-02T00:00:00Z' }), day, ['0/orders']],
    [event(1, { receivedAt: '2026-01-01T23:59:59.999Z' }), day, outside],
    [event(1, { receivedAt: '2026-01-03T00:00:00Z' }), day, outside],
    [
      event(1, { receivedAt: undefined, timestamp: '2026-01-02T05:00:00Z' }),
      { since: day.since },
      ['0/orders'],
    ],
    [event(1, { receivedAt: undefined, timestamp: at('2026-01-02T05:00:00Z') }), day, ['0/orders']],
    [event(1, { receivedAt: undefined, timestamp: '2026-01-02 23:30' }), day, ['0/orders']],
    [event(1, { receivedAt: undefined }), day, { skip: 'without a time' }],
    [event(1, { receivedAt: undefined }), {}, ['0/orders']],
    // The letter's own time, not its event's.
    [letter(1, { at: '2026-01-03T00:00:00.000Z' }), day, outside],
    [letter(1, { at: '2026-01-03T00:00:00.000Z' }), { since: day.until }, ['0/orders']],
  ])('%#', (line, selection, expected) => {
    expect(plan(line, selection)).toEqual(expected)
  })
})

describe('what is sent', () => {
  it('is the event as it was, without a write key', () => {
    expect(sent(event(1, { writeKey: 'k' }))).toEqual(event(1))
    expect(sent(letter(1, { data: event(1, { writeKey: 'k' }) }))).toEqual(event(1))
  })

  it('is of the source that sends it', () => {
    expect(sent(event(1, { projectId: 'src_two' }), { source: 'src_web' })).toEqual(event(1))
  })

  it('has an ID that stays the same, where it came with none', () => {
    const line = event(1, { messageId: undefined })
    const { messageId } = sent(line)
    expect(messageId).toMatch(/^replay-[0-9a-f]{32}$/)
    expect(sent(line)['messageId']).toBe(messageId)
    expect(sent(event(1, { messageId: undefined, x: 1 }))['messageId']).not.toBe(messageId)
  })

  it('has its envelope, where the proxy had refused it before it got one', () => {
    const data = { type: 'track', event: 'Order Done', userId: 'u1', timestamp: '2026-01-02T00:00:00.000Z' }
    const at = '2026-01-03T00:00:00.000Z'
    const line = letter(1, { at, source: null, code: 'ERR_UNKNOWN_WRITE_KEY', data })
    expect(sent(line, { source: 'src_web' })).toEqual({
      ...data,
      messageId: expect.stringMatching(/^replay-/),
      channel: 'server',
      version: 2,
      projectId: 'src_web',
      originalTimestamp: data.timestamp,
      receivedAt: at,
    })
  })

  it('is nothing that is invalid still, but what was mended', () => {
    const invalid = (data: object) => letter(1, { code: 'ERR_INVALID_EVENT', data })
    expect(plan(invalid({ event: 'Order Done', userId: 'u1' }))).toEqual({ skip: 'still invalid' })
    expect(plan(invalid({ type: 'track', event: 'Order Done', userId: 'u1' }))).toEqual(['0/orders'])
  })
})

describe('a line', () => {
  it.each([
    ['{', 'malformed'],
    ['[]', 'malformed'],
    ['null', 'malformed'],
    ['"text"', 'malformed'],
    [JSON.stringify(letter(1, { data: null })), 'no event'],
    [JSON.stringify(letter(1, { data: 'text' })), 'no event'],
    [JSON.stringify(letter(1, { stream: '../x' })), 'malformed'],
    [JSON.stringify(letter(1, { at: 'x' })), 'malformed'],
  ])('may hold nothing to send: %s', (text, expected) => {
    expect(readReplayEvent(Buffer.from(text))).toBe(expected)
  })

  it('that is no UTF-8 is malformed', () => {
    expect(readReplayEvent(Buffer.from('{"a":"\xff"}', 'latin1'))).toBe('malformed')
  })

  it('may begin with a byte order mark', () => {
    const read = readReplayEvent(Buffer.from(`\uFEFF${JSON.stringify(event(1))}`))
    if (typeof read === 'string' || 'problem' in read) throw new Error('It was not read')
    expect(read.event.textOf('messageId')).toBe(JSON.stringify(Object(event(1)).messageId))
  })
})
