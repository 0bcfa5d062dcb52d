import { describe, expect, it } from '@jest/globals'
import { UnmappedNotice } from '../../plugin/unmapped-notice.js'
import { FakeClock } from '../fake-clock.js'

const HOUR_MS = 3_600_000

function harness(owner?: () => string) {
  const clock = new FakeClock()
  const lines: string[] = []
  const logger = { info: (line: string) => lines.push(line), warn() {}, error() {} }
  return { clock, lines, notice: new UnmappedNotice({ logger, clock, owner }) }
}

function track(event: unknown) {
  return { type: 'track', event, userId: 'u1' }
}

describe('events that no row matches', () => {
  it('are told at once, and then once an hour with their count, until there are none', async () => {
    const { clock, lines, notice } = harness(() => 'Website')
    notice.note([track('User Registred'), track('B'), track('C')])
    notice.note([track('D'), track('E')])
    notice.note([{ type: 'page', userId: 'u1' }])
    notice.note([])
    const first =
      '3 event(s) of Website matched no row of mappedStreams, such as the track event "User Registred"'
    expect(lines).toEqual([first])
    await clock.advance(HOUR_MS - 1)
    expect(lines).toEqual([first])
    await clock.advance(1)
    expect(lines.slice(1)).toEqual([
      '3 event(s) of Website matched no row of mappedStreams, such as the track event "D"',
    ])
    await clock.advance(HOUR_MS)
    expect(lines).toHaveLength(2)
    expect(clock.timers).toBe(0)
    notice.note([track('F')])
    expect(lines).toHaveLength(3)
  })

  it('are told by what their owner is called then', async () => {
    let owner = 'Website'
    const { clock, lines, notice } = harness(() => owner)
    notice.note([track('A')])
    notice.note([track('A')])
    owner = 'Shop'
    await clock.advance(HOUR_MS)
    expect(lines[1]).toMatch(/^1 event\(s\) of Shop matched /)
  })

  it('are told when asked for, and no more', async () => {
    const { clock, lines, notice } = harness()
    notice.note([track('A')])
    notice.note([track('B'), track('C')])
    notice.flush()
    notice.flush()
    expect(lines).toEqual([
      '1 event(s) matched no row of mappedStreams, such as the track event "A"',
      '2 event(s) matched no row of mappedStreams, such as the track event "B"',
    ])
    expect(clock.timers).toBe(0)
  })

  it.each([
    [track('x'.repeat(1_000)), `the track event "${'x'.repeat(100)}…"`],
    [
      track('a"\n\u001b[2J\u009b31m\u2028b\u202ec'),
      'the track event "a\\"\\n\\u001b[2J\\u009b31m\\u2028b\\u202ec"',
    ],
    [track(' '), 'an event of type "track"'],
    [{ type: 'page', event: 7 }, 'an event of type "page"'],
    [{ type: 7 }, 'an event of no type'],
  ])('are named in short, with nothing that a terminal obeys: %#', (event, named) => {
    const { lines, notice } = harness()
    notice.note([event])
    expect(lines).toEqual([`1 event(s) matched no row of mappedStreams, such as ${named}`])
  })
})
