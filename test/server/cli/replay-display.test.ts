import { describe, expect, it } from '@jest/globals'
import { ReplayDisplay } from '../../../server/cli/replay-display.js'
import { Tally } from '../../../server/replay/tally.js'
import { FakeClock } from '../../fake-clock.js'

function harness(isInteractive: boolean) {
  const clock = new FakeClock()
  const written: string[] = []
  const terminal = {
    isInteractive,
    err: (line: string) => void written.push(`${line}\n`),
    rewrite: (text: string) => void written.push(`\r${text}`),
  }
  const tally = new Tally()
  tally.read = 100
  tally.delivered = 99
  return { clock, written, tally, display: new ReplayDisplay(terminal, clock, 1_000) }
}

describe('the progress of a replay', () => {
  it('is a bar on a terminal, below what is logged, and gone at the end', async () => {
    const { clock, written, tally, display } = harness(true)
    display.update(tally, 250)
    expect(written).toEqual([])
    await clock.advance(1_000)
    display.update(tally, 250)
    const bar = `\r[######------------------] 25 %  100 read, 99 delivered, 0 failed, 100/s`
    expect(written.splice(0)).toEqual([bar])
    await clock.advance(99)
    display.update(tally, 300)
    display.line('a warning')
    expect(written.splice(0)).toEqual(['\r', 'a warning\n', bar])
    display.end()
    display.line('after it')
    expect(written).toEqual(['\r', 'after it\n'])
  })

  it('is a line every five seconds elsewhere', async () => {
    const { clock, written, tally, display } = harness(false)
    for (let second = 1; second <= 12; second++) {
      await clock.advance(1_000)
      display.update(tally, second * 100)
    }
    display.line('a warning')
    display.end()
    expect(written).toEqual([
      '50 %: 100 read, 99 delivered, 0 failed, 20/s\n',
      '100 %: 100 read, 99 delivered, 0 failed, 10/s\n',
      'a warning\n',
    ])
  })
})
