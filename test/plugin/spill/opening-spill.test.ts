import { describe, expect, it } from '@jest/globals'
import { OpeningSpill } from '../../../plugin/spill/opening-spill.js'
import { drain, harness, records, WEB } from './harness.js'

/** A spill whose disk is away until `mend` is called. */
function opening({ isBroken = true } = {}) {
  const { clock, logger, open, files } = harness()
  const state = { isBroken, tries: 0 }
  const tryToOpen = async () => {
    state.tries++
    if (state.isBroken) throw new Error('the disk is away')
    return open()
  }
  const mend = () => {
    state.isBroken = false
  }
  const store = new OpeningSpill({ open: tryToOpen, clock, logger })
  return { store, clock, logger, files, mend, tries: () => state.tries }
}

describe('a spill that cannot be opened at first', () => {
  it('tells whoever appends or claims why, without waiting', async () => {
    const { store } = opening()
    await expect(store.append(WEB, records('a'))).rejects.toThrow('the disk is away')
    await expect(store.claim(WEB)).rejects.toThrow('the disk is away')
    expect(store.targets()).toEqual([])
    expect(store.canTake()).toBe(false)
    expect(store.stats()).toMatchObject({ files: 0 })
  })

  it('is opened as soon as it can be, and then keeps records', async () => {
    const { store, clock, mend } = opening()
    await expect(store.append(WEB, records('a'))).rejects.toThrow('the disk is away')
    mend()
    await clock.advance(5_000)
    await store.append(WEB, records('b'))
    expect(store.targets()).toEqual([WEB])
    expect(store.canTake()).toBe(true)
    expect(store.stats()).toMatchObject({ files: 1, records: 1 })
    expect(await drain(store)).toEqual(['b'])
  })

  it('is told of once, and again when it is open', async () => {
    const { clock, logger, mend, tries } = opening()
    await clock.advance(15_000)
    expect(tries()).toBe(4)
    expect(logger.error.mock.calls).toEqual([
      ['The spill cannot be opened: the disk is away; it is tried again every 5 s'],
    ])
    mend()
    await clock.advance(5_000)
    expect(logger.info.mock.calls).toEqual([['The spill is open']])
    await clock.advance(60_000)
    expect(tries()).toBe(5)
  })

  it('is told of anew when the cause is another one, with the fix of each', async () => {
    const { clock, logger } = harness()
    const codes = ['EROFS', 'EROFS', 'EACCES', 'EACCES']
    let tries = 0
    const open = async () => {
      const code = codes[tries++] ?? 'EACCES'
      // A disk's error names a file of another name at each try.
      throw Object.assign(new Error(`${code}: open .probe-${tries}`), { code })
    }
    new OpeningSpill({ open, clock, logger })
    await clock.advance(30_000)
    expect(logger.error.mock.calls.map(([line]) => line)).toEqual([
      expect.stringMatching(/cannot be opened: EROFS: .*mount it writable.*; it is tried again every 5 s/),
      expect.stringMatching(/cannot be opened: EACCES: .*let the user that runs this process write there/),
    ])
  })

  it('is not tried again once it is closed', async () => {
    const { store, clock, mend, tries } = opening()
    const closed = store.close()
    mend()
    await clock.advance(60_000)
    await closed
    expect(tries()).toBe(1)
  })
})

describe('a spill that opens', () => {
  it('says nothing of it, and keeps what comes meanwhile', async () => {
    const { store, clock, logger, files, tries } = opening({ isBroken: false })
    await store.append(WEB, records('a'))
    expect(files()).toHaveLength(1)
    await clock.advance(60_000)
    await store.close()
    expect(tries()).toBe(1)
    expect(logger.info).not.toHaveBeenCalled()
    expect(logger.error).not.toHaveBeenCalled()
  })
})
