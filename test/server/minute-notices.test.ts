import { describe, expect, it } from '@jest/globals'
import { MinuteNotices } from '../../server/minute-notices.js'
import { FakeClock } from '../fake-clock.js'

function harness() {
  const clock = new FakeClock()
  const lines: string[] = []
  const notices = new MinuteNotices(
    { info() {}, warn: (line: string) => lines.push(line), error() {} },
    clock,
  )
  const note = (cause: string, count?: number) => notices.note(cause, (sum) => `${cause}: ${sum}`, count)
  return { clock, lines, notices, note }
}

describe('notices', () => {
  it('are told by cause, at once and then once a minute with how often, until nothing is left to tell', async () => {
    const { clock, lines, note } = harness()
    note('a', 3)
    note('a', 4)
    note('b')
    note('a')
    expect(lines).toEqual(['a: 3', 'b: 1'])
    await clock.advance(59_999)
    expect(lines).toHaveLength(2)
    await clock.advance(1)
    expect(lines.slice(2)).toEqual(['a: 5'])
    note('a')
    await clock.advance(60_000)
    expect(lines.slice(3)).toEqual(['a: 1'])
    await clock.advance(60_000)
    expect(lines).toHaveLength(4)
    expect(clock.timers).toBe(0)
    note('a')
    expect(lines.slice(4)).toEqual(['a: 1'])
  })

  it('that are untold are told when asked for, and no more', async () => {
    const { clock, lines, notices, note } = harness()
    note('a')
    note('a')
    note('b')
    notices.flush()
    expect(lines).toEqual(['a: 1', 'b: 1', 'a: 1'])
    expect(clock.timers).toBe(0)
  })
})
