import { existsSync, readdirSync, readFileSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { nodeFileSystem, type SpillFileSystem } from '../../../plugin/spill/file-system.js'
import { ReplayLock } from '../../../server/replay/replay-lock.js'
import { FakeClock } from '../../fake-clock.js'
import { tempDir } from '../temp-dir.js'

/** A process that is there for as long as this one is. */
const OTHER = process.ppid
/** More than Linux gives out. */
const NOBODY = 2 ** 30

/** The lock of a process that is at work. */
const LIVE = JSON.stringify({ host: hostname(), pid: OTHER })

/** A lock as another process left it so long ago. */
function lockOf(holder: object | string, ageMs: number) {
  const clock = new FakeClock()
  const path = join(tempDir(), 'lock')
  writeFileSync(path, typeof holder === 'string' ? holder : JSON.stringify(holder))
  const at = (clock.wallTime() - ageMs) / 1000
  utimesSync(path, at, at)
  return { path, clock }
}

describe('the lock of a replay', () => {
  it.each([
    ['of a process that lives', { host: hostname(), pid: OTHER }, 30_000],
    ['of another machine', { host: 'elsewhere', pid: NOBODY }, 30_000],
    ['that is being written', '', 0],
  ])('%s is respected', async (_name, holder, ageMs) => {
    const { path, clock } = lockOf(holder, ageMs)
    await expect(ReplayLock.take(path, clock)).rejects.toThrow(
      /^the same replay is under way already; .*lapses within 30 s, or remove .*lock$/,
    )
    expect(existsSync(path)).toBe(true)
  })

  it.each([
    ['of a process that is gone', { host: hostname(), pid: NOBODY }, 0],
    ['of a process of our number, before us', { host: hostname(), pid: process.pid }, 0],
    ['without a heartbeat for long', { host: 'elsewhere', pid: OTHER }, 30_001],
    ['that was never written', '', 30_001],
  ])('%s is taken over, and given back', async (_name, holder, ageMs) => {
    const { path, clock } = lockOf(holder, ageMs)
    const lock = await ReplayLock.take(path, clock)
    expect(existsSync(path)).toBe(true)
    await lock.release()
    expect(readdirSync(dirname(path))).toEqual([])
  })

  it('of one that was faster is left alone, though there was none before', async () => {
    const path = join(tempDir(), 'lock')
    const fs: SpillFileSystem = {
      ...nodeFileSystem,
      async create(name) {
        writeFileSync(path, LIVE)
        return nodeFileSystem.create(name)
      },
    }
    await expect(ReplayLock.take(path, new FakeClock(), fs)).rejects.toThrow('under way already')
    expect(readFileSync(path, 'utf8')).toBe(LIVE)
  })

  it('of one that was faster to take over a stale one is left alone', async () => {
    const { path, clock } = lockOf({ host: 'elsewhere', pid: OTHER }, 30_001)
    const wallTime = clock.wallTime.bind(clock)
    // Asked for once the stale one was seen.
    clock.wallTime = () => {
      unlinkSync(path)
      writeFileSync(path, LIVE)
      return wallTime()
    }
    await expect(ReplayLock.take(path, clock)).rejects.toThrow('under way already')
    expect(readFileSync(path, 'utf8')).toBe(LIVE)
    expect(readdirSync(dirname(path))).toEqual(['lock'])
  })

  it('that is stale is taken over by one of those that see it so', async () => {
    const { path, clock } = lockOf({ host: 'elsewhere', pid: OTHER }, 30_001)
    let isFirst = true
    const fs: SpillFileSystem = {
      ...nodeFileSystem,
      async remove(name) {
        if (isFirst) {
          isFirst = false
          await expect(ReplayLock.take(path, clock)).rejects.toThrow('under way already')
        }
        return nodeFileSystem.remove(name)
      },
    }
    const lock = await ReplayLock.take(path, clock, fs)
    expect(isFirst).toBe(false)
    await lock.release()
    expect(readdirSync(dirname(path))).toEqual([])
  })

  it('is not given back by one that another has taken for dead', async () => {
    const path = join(tempDir(), 'lock')
    const lock = await ReplayLock.take(path, new FakeClock())
    writeFileSync(path, LIVE)
    await lock.release()
    expect(readFileSync(path, 'utf8')).toBe(LIVE)
  })

  it('tells the fix where it cannot be written', async () => {
    const path = join(tempDir(), 'no-such-folder', 'lock')
    await expect(ReplayLock.take(path, new FakeClock())).rejects.toThrow(
      /cannot be written \(ENOENT\), beside the input: let this process write there/,
    )
  })
})
