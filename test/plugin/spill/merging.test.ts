import { describe, expect, it } from '@jest/globals'
import type { DirectoryClaims } from '../../../plugin/spill/directory-claims.js'
import { Inventory, SpillFile } from '../../../plugin/spill/inventory.js'
import { mergeSmallFiles } from '../../../plugin/spill/merging.js'
import type { Spill } from '../../../plugin/spill/spill.js'
import type { FakeClock } from '../../fake-clock.js'
import { APP, drain, harness, records, UNTIL_DEAD_MS, WEB } from './harness.js'
import type { Step } from './memory-disk.js'

const BEAT_MS = 5_000
const ids = (count: number) => Array.from({ length: count }, (_, i) => `${i}`)

/** A file for each, a millisecond apart. */
async function trickle(spill: Spill, clock: FakeClock, count: number, target = WEB) {
  for (const id of ids(count)) {
    await spill.append(target, records(id))
    await clock.advance(1)
  }
}

describe('a spill of very many small files', () => {
  it('makes one of the oldest of them, in their order and with their age', async () => {
    const { open, clock, files } = harness()
    const spill = await open()
    await trickle(spill, clock, 520)
    await trickle(spill, clock, 20, APP)
    const { bytes } = spill.stats()
    await clock.advance(BEAT_MS)
    // 500 became one.
    expect(files()).toHaveLength(21 + 20)
    expect(spill.stats()).toEqual({ files: 41, records: 540, bytes, oldestAgeMs: 540 + BEAT_MS })
    expect(await drain(spill, WEB, APP)).toEqual([...ids(520), ...ids(20)])
  })

  it('leaves few as they are, and those that are being delivered', async () => {
    const { open, clock, files } = harness()
    const spill = await open()
    await trickle(spill, clock, 499)
    await clock.advance(BEAT_MS)
    expect(files()).toHaveLength(499)
    const claim = await spill.claim(WEB)
    await spill.append(WEB, records('last'))
    await clock.advance(BEAT_MS)
    await claim?.release()
    expect(files()).toHaveLength(500)
  })

  it('leaves the rest for the next time where it takes long: the heartbeat waits for it', async () => {
    const inventory = new Inventory()
    for (const target of [WEB, APP])
      for (const id of ids(500))
        inventory.add(new SpillFile({ target, time: 0, count: 1, id: id.padStart(16, '0') }, 10))
    let now = 0
    const claimed: string[] = []
    const claims: Pick<DirectoryClaims, 'claim'> = {
      async claim({ stream }) {
        now += 3_000
        claimed.push(stream)
        return undefined
      },
    }
    await mergeSmallFiles(inventory, claims, { now: () => now })
    expect(claimed).toEqual([WEB.stream])
  })

  it.each<Step>(['create', 'write', 'sync', 'rename', 'syncDirectory', 'read', 'remove'])(
    'loses nothing where the disk fails at %s',
    async (step) => {
      const { open, clock } = harness()
      let isFailing = false
      const spill = await open((at) => {
        if (isFailing && at === step) throw Object.assign(new Error(step), { code: 'EIO' })
      })
      await trickle(spill, clock, 500)
      isFailing = true
      await clock.advance(BEAT_MS)
      isFailing = false
      await clock.advance(BEAT_MS)
      await spill.close()
      const next = await open()
      await clock.advance(UNTIL_DEAD_MS)
      expect(new Set(await drain(next))).toEqual(new Set(ids(500)))
    },
  )
})
