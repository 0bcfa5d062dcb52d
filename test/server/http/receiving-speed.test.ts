import { describe, expect, it } from '@jest/globals'
import type { HttpProblem } from '../../../server/http/http-problem.js'
import { ReceivingSpeed, type WatchedBody } from '../../../server/http/receiving-speed.js'
import { FakeClock } from '../../fake-clock.js'

function harness() {
  const clock = new FakeClock()
  const speed = new ReceivingSpeed(clock)
  const watch = () => {
    const problems: HttpProblem[] = []
    const state = { received: 0, isWhole: false }
    const body: WatchedBody = {
      get received() {
        return state.received
      },
      origin: { isWhole: () => state.isWhole },
      revoke: (problem) => {
        problems.push(problem)
        speed.unwatch(body)
      },
    }
    speed.watch(body)
    return { body, state, problems }
  }
  return { clock, speed, watch }
}

describe('a body that comes slowly', () => {
  it('is ended with 408 where a byte a second comes', async () => {
    const { clock, watch } = harness()
    const { state, problems } = watch()
    for (let second = 0; second < 10; second++) {
      expect(problems).toEqual([])
      state.received++
      await clock.advance(1_000)
    }
    expect(problems).toMatchObject([{ status: 408, code: 'request_timeout' }])
    expect(problems[0]?.isForNow).toBe(true)
  })

  it('is ended though a megabyte of it came at once, before', async () => {
    const { clock, watch } = harness()
    const { state, problems } = watch()
    state.received = 1024 * 1024
    await clock.advance(19_000)
    expect(problems).toEqual([])
    await clock.advance(1_000)
    expect(problems).toHaveLength(1)
  })

  it('goes on at the speed of a phone on GPRS, with pauses of seconds, for minutes', async () => {
    const { clock, watch } = harness()
    const { state, problems } = watch()
    for (let second = 0; second < 240; second += 10) {
      // Four seconds in which something comes, six in which nothing does.
      for (let i = 0; i < 4; i++) {
        state.received += 2_500
        await clock.advance(1_000)
      }
      await clock.advance(6_000)
    }
    expect(problems).toEqual([])
  })

  it('is not ended once it is whole, or nobody waits for it any more', async () => {
    const { clock, speed, watch } = harness()
    const whole = watch()
    const gone = watch()
    await clock.advance(3_000)
    whole.state.isWhole = true
    speed.unwatch(gone.body)
    await clock.advance(60_000)
    expect([whole.problems, gone.problems]).toEqual([[], []])
  })

  it('is not ended for the time in which something else held the event loop', async () => {
    const { watch, ...late } = lateHarness()
    const { problems } = watch()
    // Each of its ticks comes a minute late, and data is read only after the tick.
    for (let tick = 0; tick < 9; tick++) late.tick(60_000)
    expect(problems).toEqual([])
  })

  it('has no timer run while no body is coming', async () => {
    const { clock, speed, watch } = harness()
    expect(clock.timers).toBe(0)
    const { body } = watch()
    watch().state.isWhole = true
    expect(clock.timers).toBe(1)
    await clock.advance(1_000)
    expect(clock.timers).toBe(1)
    speed.unwatch(body)
    await clock.advance(1_000)
    expect(clock.timers).toBe(0)
  })
})

/** A clock whose timers come late. */
function lateHarness() {
  const callbacks: (() => void)[] = []
  const speed = new ReceivingSpeed({
    after: (_ms, callback) => {
      callbacks.push(callback)
      return () => {}
    },
  })
  const watch = () => {
    const problems: HttpProblem[] = []
    speed.watch({
      received: 0,
      origin: { isWhole: () => false },
      revoke: (problem) => problems.push(problem),
    })
    return { problems }
  }
  return { watch, tick: (_lateMs: number) => callbacks.shift()?.() }
}
