import { describe, expect, it } from '@jest/globals'
import { FakeClock } from './fake-clock.js'

describe('FakeClock', () => {
  it('runs timers in order of time, then of making, at their time', async () => {
    const clock = new FakeClock()
    const ran: string[] = []
    const note = (name: string) => () => ran.push(`${name}@${clock.now()}`)
    clock.after(20, note('late'))
    clock.after(10, note('first'))
    clock.after(10, note('second'))
    clock.after(21, note('never'))
    await clock.advance(20)
    expect(ran).toEqual(['first@10', 'second@10', 'late@20'])
    expect(clock.now()).toBe(20)
    expect(clock.timers).toBe(1)
    expect(clock.nextTimerIn).toBe(1)
  })

  it('runs timers that timers and settled promises made, within the same advance', async () => {
    const clock = new FakeClock()
    const wait = (ms: number) => new Promise<void>((resolve) => clock.after(ms, resolve))
    const times: number[] = []
    const walk = async () => {
      for (let i = 0; i < 3; i++) {
        await wait(10)
        times.push(clock.now())
      }
    }
    const walked = walk()
    await clock.advance(100)
    await walked
    expect(times).toEqual([10, 20, 30])
  })

  it('does not run what was cancelled', async () => {
    const clock = new FakeClock()
    let ran = false
    const cancel = clock.after(1, () => {
      ran = true
    })
    cancel()
    await clock.advance(10)
    expect(ran).toBe(false)
  })

  it('runs deferred callbacks while time stands still', async () => {
    const clock = new FakeClock()
    const ran: string[] = []
    clock.defer(() => {
      ran.push('outer')
      clock.defer(() => ran.push('inner'))
    })
    expect(ran).toEqual([])
    await clock.settle()
    expect(ran).toEqual(['outer', 'inner'])
    expect(clock.now()).toBe(0)
  })

  it('moves wall time along, and lets it be set apart from the time of timers', async () => {
    const clock = new FakeClock({ wallTime: 1_000 })
    await clock.advance(5)
    expect(clock.wallTime()).toBe(1_005)
    clock.setWallTime(50)
    await clock.advance(5)
    expect(clock.wallTime()).toBe(55)
    expect(clock.now()).toBe(10)
  })

  it('draws the same numbers from the same seed, from 0 to below 1', () => {
    const draw = (seed: number) => {
      const clock = new FakeClock({ seed })
      return Array.from({ length: 100 }, () => clock.random())
    }
    expect(draw(7)).toEqual(draw(7))
    expect(draw(7)).not.toEqual(draw(8))
    expect(draw(7).every((value) => value >= 0 && value < 1)).toBe(true)
  })

  it('draws chosen numbers first', () => {
    const clock = new FakeClock()
    clock.willDraw(0, 0.999)
    expect([clock.random(), clock.random()]).toEqual([0, 0.999])
    expect(clock.random()).toBe(new FakeClock().random())
  })

  it('counts what holds the process', () => {
    const clock = new FakeClock()
    const first = clock.hold()
    const second = clock.hold()
    expect(clock.holds).toBe(2)
    first()
    first()
    expect(clock.holds).toBe(1)
    second()
    expect(clock.holds).toBe(0)
  })
})
