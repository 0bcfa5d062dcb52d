import { describe, expect, it } from '@jest/globals'
import { claimed, drain, harness, idsOf, record, records, WEB } from './harness.js'

/** A spill whose one file of three records is cut to `length` bytes. */
async function cutTo(length: number) {
  const world = harness()
  const spill = await world.open()
  await spill.append(WEB, records('a', 'b', 'c'))
  const [name = ''] = world.files()
  const whole = world.disk.contents(world.pathOf(name))
  world.disk.put(world.pathOf(name), whole.slice(0, length))
  return { ...world, spill, name, whole, aside: world.pathOf(`${name}.torn`) }
}

const SIZE = record('a').length

describe('a torn file', () => {
  it.each(Array.from({ length: 3 * SIZE }, (_, length) => length))(
    'of %d bytes yields its whole lines; the rest is kept and reported',
    async (length) => {
      const { spill, whole, files, disk, aside, name, logger } = await cutTo(length)
      const lines = Math.floor(length / SIZE)
      expect(await drain(spill)).toEqual(['a', 'b', 'c'].slice(0, lines))
      const rest = whole.slice(lines * SIZE, length)
      const isAside = lines === 0 || rest !== ''
      expect(files()).toEqual(isAside ? [`${name}.torn`] : [])
      if (isAside) expect(disk.contents(aside)).toBe(rest)
      expect(logger.error.mock.calls).toEqual([
        [expect.stringContaining(`${lines} of 3 records are whole; the remaining ${rest.length} bytes`)],
      ])
      expect(spill.stats()).toEqual({ files: 0, records: 0, bytes: 0, oldestAgeMs: undefined })
    },
  )

  it('stays aside: nobody claims or removes it', async () => {
    const { spill, open, clock, files, name } = await cutTo(SIZE + 3)
    await drain(spill)
    await clock.advance(60_000)
    const next = await open()
    expect(await drain(next)).toEqual([])
    expect(next.stats().files).toBe(0)
    expect(files()).toEqual([`${name}.torn`])
  })

  it('is not forgotten where its rest cannot be kept', async () => {
    const world = await cutTo(SIZE + 3)
    let isFull = true
    const spill = await world.open((step, path) => {
      if (isFull && step === 'create' && path.includes('.ndjson'))
        throw Object.assign(new Error('full'), { code: 'ENOSPC' })
    })
    expect(await spill.claim(WEB)).toBeUndefined()
    expect(world.files()).toEqual([world.name])
    isFull = false
    await world.clock.advance(5_000)
    expect(await drain(spill)).toEqual(['a'])
    expect(world.disk.contents(world.aside)).toBe(world.whole.slice(SIZE, SIZE + 3))
  })

  it('does not hold up the files after it', async () => {
    const { spill } = await cutTo(2)
    await spill.append(WEB, records('d'))
    expect(idsOf((await claimed(spill)).records)).toEqual(['d'])
  })
})
