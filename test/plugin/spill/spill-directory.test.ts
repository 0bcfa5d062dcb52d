import { describe, expect, it } from '@jest/globals'
import { SpillFullError } from '../../../plugin/spill/spill.js'
import { APP, claimed, DIRECTORY, drain, harness, idsOf, record, records, WEB } from './harness.js'

describe('a spill directory', () => {
  it('gives back what was appended, oldest first, and forgets what is done', async () => {
    const { open, clock, files } = harness()
    const spill = await open()
    await spill.append(WEB, records('a', 'b'))
    await clock.advance(10)
    await spill.append(WEB, records('c'))
    expect(spill.stats()).toMatchObject({ files: 2, records: 3, oldestAgeMs: 10 })

    const claim = await claimed(spill)
    expect(idsOf(claim.records)).toEqual(['a', 'b', 'c'])
    expect(await spill.claim(WEB)).toBeUndefined()
    expect(spill.stats()).toMatchObject({ files: 2, records: 3 })

    await claim.done()
    expect(spill.stats()).toEqual({ files: 0, records: 0, bytes: 0, oldestAgeMs: undefined })
    expect(spill.targets()).toEqual([])
    expect(files()).toEqual([])
  })

  it('keeps targets apart, also those of one stream with another client', async () => {
    const { open } = harness()
    const spill = await open()
    const other = { ...WEB, key: APP.key }
    await Promise.all([
      spill.append(WEB, records('web')),
      spill.append(APP, records('app')),
      spill.append(other, records('other')),
    ])
    expect(spill.targets()).toEqual([WEB, APP, other])
    expect(idsOf((await claimed(spill, APP)).records)).toEqual(['app'])
    expect(idsOf((await claimed(spill, other)).records)).toEqual(['other'])
    expect(idsOf((await claimed(spill, WEB)).records)).toEqual(['web'])
  })

  it('writes all that wait into one file a target, with a handful of fsyncs', async () => {
    const { open, disk, files } = harness()
    const spill = await open()
    const before = disk.count('sync') + disk.count('syncDirectory')
    await Promise.all(Array.from({ length: 1_000 }, (_, n) => spill.append(n % 2 ? WEB : APP, records(n))))
    expect(disk.count('sync') + disk.count('syncDirectory') - before).toBeLessThanOrEqual(6)
    expect(files().length).toBeLessThanOrEqual(4)
    expect(spill.stats().records).toBe(1_000)
    expect(new Set(await drain(spill, WEB, APP)).size).toBe(1_000)
  })

  it('gives back the records that are left, with the age they had', async () => {
    const { open, clock } = harness()
    const spill = await open()
    await spill.append(WEB, records('a', 'b', 'c'))
    await clock.advance(10)
    await spill.append(WEB, records('d', 'e'))
    const claim = await claimed(spill)
    await clock.advance(10)
    await claim.release([0, 2, 3, 4])
    expect(spill.stats()).toMatchObject({ records: 4, oldestAgeMs: 20 })
    expect(await drain(spill)).toEqual(['a', 'c', 'd', 'e'])
  })

  it('gives back all of a claim by renaming alone', async () => {
    const { open, disk } = harness()
    const spill = await open()
    await spill.append(WEB, records('a', 'b'))
    const claim = await claimed(spill)
    const writes = disk.count('write')
    await claim.release()
    expect(disk.count('write')).toBe(writes)
    expect(await drain(spill)).toEqual(['a', 'b'])
  })

  it('lets the first end of a claim count', async () => {
    const { open } = harness()
    const spill = await open()
    await spill.append(WEB, records('a'))
    const claim = await claimed(spill)
    await claim.release()
    await claim.done()
    expect(await drain(spill)).toEqual(['a'])
  })

  it('is full at its cap, for all targets together, and has room again when some is done', async () => {
    const { open } = harness()
    const size = record('a').length
    const spill = await open(undefined, 2 * size)
    const outcomes = await Promise.allSettled([
      spill.append(WEB, records('a')),
      spill.append(APP, records('b')),
      spill.append(WEB, records('c')),
    ])
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
    await expect(spill.append(APP, records('d'))).rejects.toBeInstanceOf(SpillFullError)
    expect(spill.canTake()).toBe(false)
    expect(await drain(spill, APP)).toEqual(['b'])
    expect(spill.canTake()).toBe(true)
    await spill.append(APP, records('e'))
    expect(await drain(spill, WEB, APP)).toEqual(['a', 'e'])
  })

  it('counts what others wrote against its cap', async () => {
    const { open } = harness()
    const other = await open()
    await other.append(WEB, records('a'))
    const spill = await open(undefined, record('a').length)
    await expect(spill.append(WEB, records('b'))).rejects.toThrow('The spill is full')
  })

  it.each([
    ['no newline', '{}'],
    ['two lines', '{}\n{}\n'],
    ['an empty line', '\n'],
    ['nothing', ''],
  ])('refuses a record that is %s', async (_name, text) => {
    const { open, files } = harness()
    const spill = await open()
    await expect(spill.append(WEB, [record('a'), Buffer.from(text)])).rejects.toThrow('Record 1 of 2 must be')
    expect(files()).toEqual([])
  })

  it.each([
    { ...WEB, stream: '../web' },
    { ...WEB, stream: '' },
    { ...WEB, key: '0123' },
  ])('refuses the target %j', async (target) => {
    const { open } = harness()
    const spill = await open()
    await expect(spill.append(target, records('a'))).rejects.toThrow('No target of a spill')
    await expect(spill.claim(target)).rejects.toThrow('No target of a spill')
  })

  it('has few files open at a time, however many it claims or looks at', async () => {
    const { disk, open } = harness()
    const writer = await open()
    for (let n = 0; n < 200; n++) await writer.append(WEB, records(n))
    await writer.close()
    const under = { now: 0, most: 0 }
    const spill = await open(async (step) => {
      if (step !== 'read' && step !== 'stat') return
      under.most = Math.max(under.most, ++under.now)
      await Promise.resolve()
      under.now--
    })
    expect(await drain(spill)).toHaveLength(200)
    expect(under.most).toBeGreaterThan(1)
    expect(under.most).toBeLessThanOrEqual(32)
    expect(disk.files(DIRECTORY).filter((name) => name.includes('.ndjson'))).toEqual([])
  })

  it('splits what is larger than a file, and claims one such file at a time', async () => {
    const { open, files } = harness()
    const spill = await open(undefined, 50_000_000)
    const large = Array.from({ length: 20 }, (_, n) => Buffer.from(`"${String(n).padEnd(1_000_000)}"\n`))
    await spill.append(WEB, large)
    expect(files()).toHaveLength(3)
    const lengths: number[] = []
    for (let claim = await spill.claim(WEB); claim; claim = await spill.claim(WEB)) {
      lengths.push(claim.records.length)
      await claim.done()
    }
    expect(lengths.sort()).toEqual([4, 8, 8])
  })

  it('names files so that they are told apart and sorted without opening them', async () => {
    const { open, files } = harness()
    const spill = await open()
    await spill.append(APP, records('a', 'b'))
    expect(files()).toEqual([
      expect.stringMatching(/^app\.events\.fedcba9876543210\.20260101T000000000Z\.2\.[a-f0-9]{16}\.ndjson$/),
    ])
  })

  it('gives back what is claimed when it is closed, waits for what is written, and takes no more', async () => {
    const { open, disk, clock } = harness()
    const spill = await open()
    await spill.append(WEB, records('a'))
    await claimed(spill)
    const appending = spill.append(WEB, records('b'))
    const claiming = spill.claim(WEB)
    await spill.close()
    await appending
    await claiming
    await expect(spill.append(WEB, records('c'))).rejects.toThrow('The spill is closed')
    expect(await spill.claim(WEB)).toBeUndefined()
    expect(clock.timers).toBe(0)
    expect(disk.files('/var/spill/.instances')).toEqual([])

    const next = await open()
    expect((await drain(next)).sort()).toEqual(['a', 'b'])
  })
})
