import { describe, expect, it } from '@jest/globals'
import { FakeClock } from '../../fake-clock.js'
import { claimed, drain, harness, records, UNTIL_DEAD_MS, WEB } from './harness.js'

/** What stops a process dead. */
function mortal() {
  const life = { isOver: false }
  return { life, intercept: () => (life.isOver ? new Promise<never>(() => {}) : undefined) }
}

describe('spills on one directory', () => {
  it('claim disjoint sets, of which nothing is missing', async () => {
    const { open, clock } = harness()
    const first = await open()
    for (let n = 0; n < 40; n++) await first.append(WEB, records(n))
    const others = await Promise.all([open(), open()])
    await clock.advance(5_000)
    const found = await Promise.all([first, ...others].map((spill) => drain(spill)))
    expect(found.flat().sort()).toEqual(Array.from({ length: 40 }, (_, n) => String(n)).sort())
  })

  it('learn what the others wrote and what they finished', async () => {
    const { open, clock } = harness()
    const [writer, drainer] = [await open(), await open()]
    await writer.append(WEB, records('a'))
    expect(drainer.targets()).toEqual([])
    await clock.advance(5_000)
    expect(drainer.targets()).toEqual([WEB])
    const claim = await claimed(drainer)
    await clock.advance(5_000)
    expect(await writer.claim(WEB)).toBeUndefined()
    expect(writer.stats().records).toBe(1)
    await claim.done()
    await clock.advance(5_000)
    expect(writer.stats()).toEqual({ files: 0, records: 0, bytes: 0, oldestAgeMs: undefined })
  })

  it('let the living keep their claims, however long', async () => {
    const { open, clock } = harness()
    const [first, second] = [await open(), await open()]
    await first.append(WEB, records('a'))
    const claim = await claimed(first)
    await clock.advance(600_000)
    expect(await second.claim(WEB)).toBeUndefined()
    await claim.release()
    await clock.advance(5_000)
    expect(await drain(second)).toEqual(['a'])
  })

  it('take over the claims of the dead, once', async () => {
    const { open, clock, disk } = harness()
    const { life, intercept } = mortal()
    const dying = await open(intercept)
    await dying.append(WEB, records('a', 'b'))
    await claimed(dying)
    const heirs = [await open(), await open()]
    life.isOver = true
    await clock.advance(20_000)
    expect(await Promise.all(heirs.map((heir) => drain(heir)))).toEqual([[], []])
    await clock.advance(UNTIL_DEAD_MS - 20_000)
    const found = await Promise.all(heirs.map((heir) => drain(heir)))
    expect(found.flat()).toEqual(['a', 'b'])
    expect(disk.files('/var/spill/.instances')).toHaveLength(2)
  })

  it('take over at once, at the start, what died long ago', async () => {
    const { open, clock } = harness()
    const { life, intercept } = mortal()
    const dying = await open(intercept)
    await dying.append(WEB, records('a'))
    await claimed(dying)
    life.isOver = true
    await clock.advance(UNTIL_DEAD_MS)
    expect(await drain(await open())).toEqual(['a'])
  })

  it('do not take the living for dead when the clock is set', async () => {
    const { open, clock } = harness()
    const [first, second] = [await open(), await open()]
    await first.append(WEB, records('a'))
    await claimed(first)
    for (const hours of [5, -10, 20]) {
      clock.setWallTime(clock.wallTime() + hours * 3_600_000)
      await clock.advance(60_000)
      expect(await second.claim(WEB)).toBeUndefined()
    }
  })

  it('do not take the living for dead whose clock differs, once they were watched', async () => {
    const { open, disk, clock } = harness()
    const slow = new FakeClock({ wallTime: clock.wallTime() - 20_000 })
    const first = await harness({ disk, clock: slow }).open()
    await first.append(WEB, records('a'))
    await claimed(first)
    const second = await open()
    for (let n = 0; n < 30; n++) {
      await slow.advance(5_000)
      await clock.advance(5_000)
      if (n === 10) slow.setWallTime(slow.wallTime() - 3_600_000)
    }
    expect(await second.claim(WEB)).toBeUndefined()
  })

  it('do not bury the living whose clock is far behind again and again', async () => {
    const { open, disk, clock } = harness()
    const slow = new FakeClock({ wallTime: clock.wallTime() - 3_600_000 })
    const first = await harness({ disk, clock: slow }).open()
    const second = await open()
    for (let n = 0; n < 3; n++) {
      await slow.advance(5_000)
      await clock.advance(5_000)
    }
    await first.append(WEB, records('a'))
    await claimed(first)
    for (let n = 0; n < 10; n++) {
      await slow.advance(5_000)
      await clock.advance(5_000)
      expect(await second.claim(WEB)).toBeUndefined()
    }
  })

  it('survive a process that was stopped, lost its claims, and goes on: nothing is lost', async () => {
    const { open, clock, files } = harness()
    let wake = () => {}
    let asleep: Promise<void> | undefined
    const sleeper = await open(() => asleep)
    await sleeper.append(WEB, records('a', 'b'))
    const [claim, other] = [await claimed(sleeper), await open()]
    asleep = new Promise((resolve) => {
      wake = resolve
    })
    await clock.advance(UNTIL_DEAD_MS)
    const theirs = await claimed(other)
    asleep = undefined
    wake()
    await clock.advance(5_000)
    await claim.release([0])
    await theirs.release()
    await clock.advance(5_000)
    expect(new Set([...(await drain(sleeper)), ...(await drain(other))])).toEqual(new Set(['a', 'b']))
    expect(files()).toEqual([])
  })

  it('leave the temporary files of the living alone and remove those of the dead', async () => {
    const { open, clock, files } = harness()
    const { life, intercept } = mortal()
    let hangs = false
    const writer = await open((step) =>
      hangs && step === 'sync' ? new Promise<never>(() => {}) : intercept(),
    )
    const other = await open()
    hangs = true
    void writer.append(WEB, records('a'))
    await clock.advance(60_000)
    expect(files()).toEqual([expect.stringContaining('.tmp-')])
    life.isOver = true
    await clock.advance(UNTIL_DEAD_MS)
    expect(files()).toEqual([])
    expect(await drain(other)).toEqual([])
  })
})
