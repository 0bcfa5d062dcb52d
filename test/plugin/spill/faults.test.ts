import { describe, expect, it, jest } from '@jest/globals'
import { APP, claimed, DIRECTORY, drain, harness, idsOf, records, WEB } from './harness.js'
import type { Intercept, Step } from './memory-disk.js'

/** A disk that fails some steps, while it is told to. */
function faulty(...steps: readonly Step[]) {
  const fault = { code: 'ENOSPC', isOn: false, path: '' }
  const intercept: Intercept = (step, path) => {
    if (fault.isOn && steps.includes(step) && path.includes(fault.path))
      throw Object.assign(new Error(`${fault.code}: ${step}`), { code: fault.code })
  }
  return { fault, intercept }
}

const STEPS_OF_APPEND: readonly Step[] = ['create', 'write', 'sync', 'close', 'rename', 'syncDirectory']

describe('a spill on a disk that fails', () => {
  it.each(
    STEPS_OF_APPEND.flatMap((step) =>
      ['ENOSPC', 'EDQUOT', 'EROFS', 'EIO'].map((code) => [step, code] as const),
    ),
  )(
    'rejects appends at %s with %s, keeps nothing of them, and takes them again when it is well',
    async (step, code) => {
      const { open, files } = harness()
      const { fault, intercept } = faulty(step)
      const spill = await open(intercept)
      await spill.append(WEB, records('before'))
      const there = files()
      Object.assign(fault, { code, isOn: true })
      const outcomes = await Promise.allSettled([
        spill.append(WEB, records('a', 'b')),
        spill.append(APP, records('c')),
      ])
      expect(outcomes).toMatchObject([{ reason: { code } }, { reason: { code } }])
      expect(files()).toEqual(there)
      expect(spill.stats()).toMatchObject({ files: 1, records: 1 })

      fault.isOn = false
      await spill.append(WEB, records('after'))
      expect(await drain(spill, WEB, APP)).toEqual(['before', 'after'])
    },
  )

  it('can take nothing after an append that failed, until the disk is well, though nobody appends', async () => {
    const { open, clock } = harness()
    const { fault, intercept } = faulty('write')
    const spill = await open(intercept)
    expect(spill.canTake()).toBe(true)
    fault.isOn = true
    await expect(spill.append(WEB, records('a'))).rejects.toThrow('ENOSPC')
    expect(spill.canTake()).toBe(false)
    await clock.advance(20_000)
    expect(spill.canTake()).toBe(false)
    fault.isOn = false
    await clock.advance(5_000)
    expect(spill.canTake()).toBe(true)
    await spill.close()
    expect(spill.canTake()).toBe(false)
  })

  it('can take nothing where its heartbeat finds the disk read-only', async () => {
    const { open, clock } = harness()
    const { fault, intercept } = faulty('touch', 'create')
    const spill = await open(intercept)
    Object.assign(fault, { code: 'EROFS', isOn: true })
    await clock.advance(5_000)
    expect(spill.canTake()).toBe(false)
  })

  it('rejects all appends that there is no memory for, and takes the next ones', async () => {
    const { open, files } = harness()
    const spill = await open()
    const concat = jest.spyOn(Buffer, 'concat').mockImplementationOnce(() => {
      throw new RangeError('Array buffer allocation failed')
    })
    const outcomes = await Promise.allSettled([
      spill.append(WEB, records('a')),
      spill.append(WEB, records('b')),
      spill.append(APP, records('c')),
    ])
    concat.mockRestore()
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled'])
    expect(outcomes).toMatchObject([{ reason: { message: 'Array buffer allocation failed' } }, {}, {}])
    await spill.append(WEB, records('after'))
    expect(files()).toHaveLength(2)
    expect(await drain(spill, WEB, APP)).toEqual(['after', 'c'])
    await spill.close()
  })

  it('gives the room of a failed append back', async () => {
    const { open } = harness()
    const { fault, intercept } = faulty('write')
    const size = records('a')[0]?.length
    const spill = await open(intercept, size)
    fault.isOn = true
    await expect(spill.append(WEB, records('a'))).rejects.toThrow('ENOSPC')
    fault.isOn = false
    await spill.append(WEB, records('b'))
    expect(await drain(spill)).toEqual(['b'])
  })

  it('fails only the target whose file cannot be written', async () => {
    const { open } = harness()
    const { fault, intercept } = faulty('sync')
    const spill = await open(intercept)
    Object.assign(fault, { isOn: true, path: WEB.key })
    const outcomes = await Promise.allSettled([
      spill.append(WEB, records('a')),
      spill.append(APP, records('b')),
    ])
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled'])
    expect(await drain(spill, WEB, APP)).toEqual(['b'])
  })

  it('keeps none of an append of several files where the last fails', async () => {
    const { open, files } = harness()
    let creates = 0
    let isOn = false
    const spill = await open((step) => {
      if (isOn && step === 'create' && ++creates === 3)
        throw Object.assign(new Error('full'), { code: 'ENOSPC' })
    }, 50_000_000)
    isOn = true
    const large = Array.from({ length: 20 }, () => Buffer.from(`"${' '.repeat(1_000_000)}"\n`))
    await expect(spill.append(WEB, large)).rejects.toThrow('full')
    expect(creates).toBe(3)
    expect(files()).toEqual([])
  })

  it('never says that a directory is synced that is not: what was renamed is taken back', async () => {
    const { open, disk } = harness()
    const { fault, intercept } = faulty('syncDirectory', 'remove')
    const spill = await open(intercept)
    fault.isOn = true
    await expect(spill.append(WEB, records('a'))).rejects.toThrow('ENOSPC')
    // It could not even be removed: a duplicate at worst, found by the next look.
    expect(disk.files(DIRECTORY).filter((name) => name.endsWith('.ndjson'))).toHaveLength(1)
  })

  it('delivers on though delivered files cannot be removed, and removes them when it can', async () => {
    const { open, clock, files, logger } = harness()
    const { fault, intercept } = faulty('remove')
    const spill = await open(intercept)
    await spill.append(WEB, records('a'))
    const claim = await claimed(spill)
    Object.assign(fault, { isOn: true, code: 'EROFS' })
    await claim.done()
    await clock.advance(10_000)
    expect(await spill.claim(WEB)).toBeUndefined()
    expect(files()).toHaveLength(1)
    expect(logger.warn).toHaveBeenCalledTimes(1)
    expect(logger.warn.mock.calls[0]?.[0]).toContain('EROFS')

    fault.isOn = false
    await clock.advance(5_000)
    expect(files()).toEqual([])
    expect(spill.stats().records).toBe(0)
  })

  it.each<Step>(['create', 'write', 'sync', 'rename', 'syncDirectory'])(
    'gives back all of a claim where what is left cannot be written: %s',
    async (step) => {
      const { open, clock } = harness()
      const { fault, intercept } = faulty(step)
      const spill = await open(intercept)
      await spill.append(WEB, records('a', 'b'))
      const claim = await claimed(spill)
      fault.isOn = true
      await claim.release([1])
      fault.isOn = false
      await clock.advance(5_000)
      expect(await drain(spill)).toEqual(['a', 'b'])
    },
  )

  it.each<Step>(['rename', 'read'])('leaves a file that cannot be claimed for later: %s', async (step) => {
    const { open, clock, logger } = harness()
    const { fault, intercept } = faulty(step)
    const spill = await open(intercept)
    await spill.append(WEB, records('a'))
    Object.assign(fault, { isOn: true, code: 'EIO' })
    expect(await spill.claim(WEB)).toBeUndefined()
    expect(logger.warn.mock.calls[0]?.[0]).toContain('could not be taken from the spill: EIO')
    fault.isOn = false
    await clock.advance(5_000)
    expect(await drain(spill)).toEqual(['a'])
  })

  it('says once of a file that it cannot be claimed', async () => {
    const { open, clock, logger } = harness()
    const { fault, intercept } = faulty('read')
    const spill = await open(intercept)
    await spill.append(WEB, records('a'))
    Object.assign(fault, { isOn: true, code: 'EIO' })
    for (let look = 0; look < 5; look++) {
      expect(await spill.claim(WEB)).toBeUndefined()
      await clock.advance(5_000)
    }
    expect(logger.warn).toHaveBeenCalledTimes(1)
  })

  it.each([
    ['EROFS', 'create'],
    ['EACCES', 'makeDirectory'],
    ['EINVAL', 'syncDirectory'],
    ['EIO', 'sync'],
    ['EPERM', 'rename'],
  ] as const)('is not opened with %s at %s', async (code, step) => {
    const { open } = harness()
    const { fault, intercept } = faulty(step)
    Object.assign(fault, { isOn: true, code })
    await expect(open(intercept)).rejects.toMatchObject({ code })
  })

  it('is opened on a full disk, to deliver what is in it', async () => {
    const { open, logger } = harness()
    const first = await open()
    await first.append(WEB, records('a'))
    await first.close()

    const { fault, intercept } = faulty('create', 'write')
    fault.isOn = true
    const spill = await open(intercept)
    expect(logger.warn.mock.calls[0]?.[0]).toContain(`The disk of the spill directory ${DIRECTORY} is full`)
    await expect(spill.append(WEB, records('b'))).rejects.toThrow('ENOSPC')
    expect(await drain(spill)).toEqual(['a'])
    fault.isOn = false
    await spill.append(WEB, records('c'))
    expect(await drain(spill)).toEqual(['c'])
  })

  it.each([
    ['ENOSPC', /^The disk of the spill directory .* is full: records fail/],
    ['EDQUOT', /^The disk of the spill directory .* is full: records fail/],
    ['EROFS', /takes no records.*EROFS: write; the file system is read-only: mount it writable/],
    ['EMFILE', /takes no records.*EMFILE: write; raise the limit on open files/],
    ['EIO', /takes no records.*EIO: write; the disk gives errors/],
  ])(
    'says once of a disk that takes no appends what to do about it, and when it takes them: %s',
    async (code, said) => {
      const { open, clock, logger } = harness()
      const { fault, intercept } = faulty('write')
      const spill = await open(intercept)
      Object.assign(fault, { code, isOn: true })
      for (let n = 0; n < 5; n++) {
        await expect(spill.append(WEB, records(n))).rejects.toThrow(code)
        await clock.advance(5_000)
      }
      expect(logger.warn.mock.calls).toEqual([[expect.stringMatching(said)]])
      expect(logger.info).not.toHaveBeenCalled()
      fault.isOn = false
      await clock.advance(5_000)
      await spill.append(WEB, records('after'))
      expect(logger.info.mock.calls).toEqual([[`The spill directory ${DIRECTORY} takes records again`]])
      fault.isOn = true
      await expect(spill.append(WEB, records('b'))).rejects.toThrow(code)
      expect(logger.warn).toHaveBeenCalledTimes(2)
    },
  )

  it('says that the spill holds maxBytes, and that it takes records again once it is emptier', async () => {
    const { open, clock, logger } = harness()
    const spill = await open(undefined, 12)
    await spill.append(WEB, records('a'))
    for (let n = 0; n < 3; n++) await expect(spill.append(WEB, records('bcd'))).rejects.toThrow('full')
    await clock.advance(20_000)
    expect(logger.warn.mock.calls).toEqual([
      [expect.stringMatching(/no room left, of 12 bytes.*raise maxBytes/)],
    ])
    expect(logger.info).not.toHaveBeenCalled()
    expect(await drain(spill)).toEqual(['a'])
    await clock.advance(5_000)
    expect(logger.info.mock.calls).toEqual([[`The spill directory ${DIRECTORY} takes records again`]])
  })

  it('says when the cause of its trouble is another one', async () => {
    const { open, logger } = harness()
    const { fault, intercept } = faulty('write')
    const spill = await open(intercept)
    for (const code of ['EIO', 'EIO', 'EROFS', 'ENOSPC']) {
      Object.assign(fault, { code, isOn: true })
      await expect(spill.append(WEB, records('a'))).rejects.toThrow(code)
    }
    expect(logger.warn.mock.calls.map(([line]) => /EIO|EROFS|full/.exec(line)?.[0])).toEqual([
      'EIO',
      'EROFS',
      'full',
    ])
  })

  it('says why it cannot make the directory anew that is gone, and not that it is gone', async () => {
    const { open, clock, logger } = harness()
    let isGone = false
    await open((step) => {
      if (!isGone) return
      const code = step === 'makeDirectory' ? 'EROFS' : 'ENOENT'
      throw Object.assign(new Error(`${code}: ${step}`), { code })
    })
    isGone = true
    await clock.advance(10_000)
    expect(logger.warn.mock.calls).toEqual([
      [expect.stringMatching(/EROFS: makeDirectory; .*mount it writable/)],
    ])
  })

  it('does not fill the log where appends fail and succeed by turns', async () => {
    const { open, clock, logger } = harness()
    const { fault, intercept } = faulty('write')
    const spill = await open(intercept)
    for (let n = 0; n < 100; n++) {
      fault.isOn = n % 2 === 0
      await spill.append(WEB, records(n)).catch(() => {})
    }
    expect(logger.warn).toHaveBeenCalledTimes(1)
    expect(logger.info).toHaveBeenCalledTimes(1)
    await clock.advance(10_000)
    fault.isOn = true
    await spill.append(WEB, records('last')).catch(() => {})
    expect(logger.warn).toHaveBeenCalledTimes(2)
  })

  it('says once that the directory gives errors, until it is well again', async () => {
    const { open, clock, logger } = harness()
    const { fault, intercept } = faulty('list')
    await open(intercept)
    Object.assign(fault, { isOn: true, code: 'EIO' })
    await clock.advance(20_000)
    expect(logger.warn).toHaveBeenCalledTimes(1)
    fault.isOn = false
    await clock.advance(5_000)
    fault.isOn = true
    await clock.advance(20_000)
    expect(logger.warn).toHaveBeenCalledTimes(2)
  })

  it('keeps records out of its log', async () => {
    const { open, logger, disk, files, pathOf } = harness()
    const spill = await open()
    await spill.append(WEB, records('secret-1', 'secret-2'))
    const [name = ''] = files()
    const whole = disk.contents(pathOf(name))
    disk.put(pathOf(name), whole.slice(0, -3))
    expect(idsOf((await claimed(spill)).records)).toEqual(['secret-1'])
    expect(logger.error).toHaveBeenCalledTimes(1)
    expect(JSON.stringify(logger.error.mock.calls)).not.toContain('secret')
  })
})
