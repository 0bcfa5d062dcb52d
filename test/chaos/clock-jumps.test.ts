import { afterEach, describe, expect, it } from '@jest/globals'
import { tempDir } from '../server/temp-dir.js'
import type { Moment } from './orders.js'
import { Random } from './random.js'
import { expectNothingLost, SEED, tell } from './verdict.js'
import { World } from './world.js'

const HOUR_MS = 3_600_000
/** An event may be on its way for so long. */
const LEEWAY_MS = 60_000

let world: World

afterEach(() => world.end())

/** Lets the clock jump at a moment, and waits for it. */
async function jump(at: Required<Moment>): Promise<void> {
  world.serving.order({ at })
  await world.serving.logged(new RegExp(`jumped by ${at.jumpMs} ms ${at.when} ${at.step} `))
  world.serving.order({ at: undefined, clockOffsetMs: at.jumpMs })
  await world.load.acknowledged(100)
}

describe('a clock that jumps', () => {
  it('under load, while the spill fills and while it empties, loses nothing', async () => {
    tell(`CHAOS_SEED=${SEED}`)
    const random = new Random(SEED)
    world = await World.start({ random, cwd: tempDir() })
    const { aws, serving, load } = world
    for (const jumpMs of [HOUR_MS, -HOUR_MS, 4_000, -4_000]) {
      serving.order({ clockOffsetMs: 0 })
      await load.acknowledged(100)
      await aws.goDown()
      await jump({ step: 'rename', when: 'before', nth: random.between(1, 3), jumpMs })
      serving.order({ clockOffsetMs: 0 })
      await aws.comeBack()
      await jump({ step: 'claim', when: 'after', nth: random.between(1, 3), jumpMs })
    }
    await load.stop()
    await expectNothingLost(world)
    const { least, most } = aws.skew
    tell(`events were dated from ${Math.round(least / 1_000)} s to ${Math.round(most / 1_000)} s off`)
    expect(most).toBeGreaterThan(HOUR_MS - LEEWAY_MS)
    expect(least).toBeLessThan(-HOUR_MS + LEEWAY_MS)
  }, 60_000)
})
