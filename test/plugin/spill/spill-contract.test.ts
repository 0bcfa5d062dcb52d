import { afterEach, describe, expect, it } from '@jest/globals'
import type { Spill } from '../../../plugin/spill/spill.js'
import type { FakeClock } from '../../fake-clock.js'
import { APP, claimed, drain, harness, idsOf, records, WEB } from './harness.js'
import { cleanUpQueues, queueHarness } from './queue-harness.js'

afterEach(cleanUpQueues)

interface Store {
  readonly clock: FakeClock
  open(): Promise<Spill>
}

function directoryStore(): Store {
  const { clock, open } = harness()
  return { clock, open: () => open(undefined, 50_000_000) }
}

/** What every spill does, whatever it is kept in. */
describe.each<[string, () => Store | Promise<Store>]>([
  ['a directory', directoryStore],
  ['an SQS queue', () => queueHarness()],
])('a spill in %s', (_name, makeStore) => {
  it('gives back what was appended, oldest first, and forgets what is done', async () => {
    const { open, clock } = await makeStore()
    const spill = await open()
    await spill.append(WEB, records('a', 'b'))
    await clock.advance(10)
    await spill.append(WEB, records('c'))
    expect(spill.stats()).toMatchObject({ files: 2, records: 3, oldestAgeMs: 10 })
    expect(spill.targets()).toEqual([WEB])

    const claim = await claimed(spill)
    expect(claim.target).toEqual(WEB)
    expect(claim.records.map((bytes) => Buffer.from(bytes))).toEqual(records('a', 'b', 'c'))
    expect(await spill.claim(WEB)).toBeUndefined()
    expect(spill.targets()).toEqual([WEB])
    expect(spill.stats().records).toBe(3)

    await claim.done()
    expect(await spill.claim(WEB)).toBeUndefined()
    expect(spill.stats()).toEqual({ files: 0, records: 0, bytes: 0, oldestAgeMs: undefined })
    expect(spill.targets()).toEqual([])
  })

  it('keeps targets apart, also those of one stream with another client', async () => {
    const { open } = await makeStore()
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

  it('keeps what waits together in few files', async () => {
    const { open } = await makeStore()
    const spill = await open()
    await Promise.all(Array.from({ length: 1_000 }, (_, n) => spill.append(n % 2 ? WEB : APP, records(n))))
    expect(spill.stats().files).toBeLessThanOrEqual(4)
    expect(spill.stats().records).toBe(1_000)
    expect(new Set(await drain(spill, WEB, APP)).size).toBe(1_000)
  })

  it('gives back the records that are left, with the age they had', async () => {
    const { open, clock } = await makeStore()
    const spill = await open()
    await spill.append(WEB, records('a', 'b', 'c'))
    await clock.advance(10)
    await spill.append(WEB, records('d', 'e'))
    await clock.advance(10)
    await spill.append(WEB, records('f'))
    const claim = await claimed(spill)
    await clock.advance(10)
    await claim.release([0, 2, 3, 4])
    expect(spill.stats()).toMatchObject({ files: 2, oldestAgeMs: 30 })
    await spill.close()
    const next = await open()
    const again = await claimed(next)
    expect(idsOf(again.records)).toEqual(['a', 'c', 'd', 'e'])
    expect(next.stats().oldestAgeMs).toBe(30)
    await again.done()
    expect(await drain(next)).toEqual([])
  })

  it('tells the age of what waits: oldest delivered, younger left', async () => {
    const { open, clock } = await makeStore()
    const spill = await open()
    await spill.append(WEB, records('oldest'))
    for (let n = 0; n < 3; n++) {
      await clock.advance(10)
      const claim = await claimed(spill)
      await spill.append(WEB, records(n))
      expect(spill.stats().oldestAgeMs).toBe(10)
      await claim.done()
      expect(spill.stats()).toMatchObject({ files: 1, oldestAgeMs: 0 })
    }
    await clock.advance(10)
    await (await claimed(spill)).release()
    await spill.append(WEB, records('youngest'))
    expect(spill.stats().oldestAgeMs).toBe(10)
  })

  it('gives back all of a claim, and lets its first end count', async () => {
    const { open } = await makeStore()
    const spill = await open()
    await spill.append(WEB, records('a', 'b'))
    const claim = await claimed(spill)
    await claim.release()
    await claim.done()
    expect(await drain(spill)).toEqual(['a', 'b'])
  })

  it.each([
    ['no newline', '{}'],
    ['two lines', '{}\n{}\n'],
    ['nothing', ''],
  ])('refuses a record that is %s', async (_case, text) => {
    const { open } = await makeStore()
    const spill = await open()
    await expect(spill.append(WEB, [...records('a'), Buffer.from(text)])).rejects.toThrow(
      'Record 1 of 2 must be',
    )
    expect(await drain(spill)).toEqual([])
  })

  it('refuses a target that is none', async () => {
    const { open } = await makeStore()
    const spill = await open()
    await expect(spill.append({ ...WEB, key: '0123' }, records('a'))).rejects.toThrow('No target of a spill')
    await expect(spill.claim({ ...WEB, stream: '../web' })).rejects.toThrow('No target of a spill')
  })

  it('keeps bytes as they are, whatever they are', async () => {
    const { open } = await makeStore()
    const spill = await open()
    const odd = ['"\uFFFE\uFFFF\u0001"\n', '\uFEFF"é☃𝄞"\r\n', '{"plain":true}\n'].map((text) =>
      Buffer.from(text),
    )
    odd.push(Buffer.from([0x80, 0xff, 0x0a]))
    await spill.append(WEB, odd)
    const { records: back } = await claimed(spill)
    expect(back.map((bytes) => Buffer.from(bytes))).toEqual(odd)
  })

  it('takes records as large as Firehose does, and claims a bounded number of bytes', async () => {
    const { open } = await makeStore()
    const spill = await open()
    const large = Array.from({ length: 4 }, (_, n) => Buffer.from(`"${String(n).padEnd(1_023_997)}"\n`))
    for (let round = 0; round < 3; round++) await spill.append(WEB, large)
    let found = 0
    for (let claim = await spill.claim(WEB); claim; claim = await spill.claim(WEB)) {
      expect(claim.records.length).toBeLessThanOrEqual(8)
      found += claim.records.length
      await claim.done()
    }
    expect(found).toBe(12)
  })

  it('gives back what is claimed when it is closed, waits for what is written, and takes no more', async () => {
    const { open, clock } = await makeStore()
    const spill = await open()
    await spill.append(WEB, records('a'))
    await spill.append(APP, records('app'))
    await claimed(spill)
    const appending = spill.append(WEB, records('b'))
    const claiming = spill.claim(WEB)
    await spill.close()
    await appending
    await claiming
    await expect(spill.append(WEB, records('c'))).rejects.toThrow('The spill is closed')
    expect(await spill.claim(WEB)).toBeUndefined()
    expect(clock.timers).toBe(0)

    const next = await open()
    expect(next.targets()).toEqual(expect.arrayContaining([WEB, APP]))
    expect((await drain(next, WEB, APP)).sort()).toEqual(['a', 'app', 'b'])
    await next.close()
  })
})
