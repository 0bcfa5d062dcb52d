import { describe, expect, it } from '@jest/globals'
import { Pace } from '../../../server/replay/pace.js'
import { FakeClock } from '../../fake-clock.js'

function harness(rate: number | undefined) {
  const clock = new FakeClock()
  const controller = new AbortController()
  const pace = new Pace({ rate, clock, signal: controller.signal })
  const turns: [at: number, isTurn: boolean][] = []
  const ask = async (events: number) => {
    const isTurn = await pace.isTurn(events)
    turns.push([clock.now(), isTurn])
  }
  return { clock, controller, turns, ask }
}

describe('the pace of a replay', () => {
  it('gives each group the time that the one before it takes', async () => {
    const { clock, turns, ask } = harness(100)
    const asked = (async () => {
      for (const events of [50, 100, 1]) await ask(events)
    })()
    await clock.advance(5_000)
    await asked
    await ask(1)
    expect(turns).toEqual([
      [0, true],
      [500, true],
      [1_500, true],
      [5_000, true],
    ])
    expect(clock.timers).toBe(0)
  })

  it('lets nothing go once it is interrupted, be it while it waits', async () => {
    const { clock, controller, turns, ask } = harness(1)
    await ask(10)
    const waiting = ask(1)
    controller.abort()
    await waiting
    await ask(1)
    expect(turns).toEqual([
      [0, true],
      [0, false],
      [0, false],
    ])
    expect(clock.timers).toBe(0)
  })

  it('is without end where there is no limit', async () => {
    const { turns, ask } = harness(undefined)
    await ask(1_000_000)
    await ask(1_000_000)
    expect(turns).toEqual([
      [0, true],
      [0, true],
    ])
  })
})
