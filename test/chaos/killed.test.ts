import { afterEach, describe, it } from '@jest/globals'
import { tempDir } from '../server/temp-dir.js'
import { STEPS, type Step, type When } from './orders.js'
import { Random } from './random.js'
import { expectNothingLost, MINUTES, SEED, tell } from './verdict.js'
import { World } from './world.js'

const TIMEOUT_MS = 60_000

/**
 * When AWS takes nothing: records go into the spill, and what is claimed goes back. Before a step the disk is as it is
 * after the one ahead of it: that moment is left to chance, in the mixtures.
 */
const IN_OUTAGE: readonly (readonly [Step, ...When[]])[] = [
  ['write', 'before', 'within', 'after'],
  ['fsync', 'after'],
  ['rename', 'after'],
  ['fsync of the directory', 'after'],
  ['give back', 'before', 'after'],
]
/** When it takes records again. */
const IN_DRAIN: readonly (readonly [Step, ...When[]])[] = [
  ['claim', 'before', 'after'],
  ['read', 'after'],
  ['delete', 'before', 'after'],
  ['write of dead letters', 'within', 'after'],
  ['fsync of dead letters', 'after'],
]

/** Each step; the short form leaves one moment of each to its seed. */
const chance = new Random(SEED)
const moments = (table: typeof IN_OUTAGE) =>
  table.flatMap(([step, ...whens]) =>
    (MINUTES > 0 ? whens : [chance.pick(whens)]).map((when) => [when, step] as const),
  )

let world: World

afterEach(() => world.end())

/** Kills a server whose spill holds what was acknowledged, and starts another in its place. */
async function expectNothingLostAt(step: Step, when: When, isDrain: boolean): Promise<void> {
  const random = new Random(SEED + STEPS.indexOf(step))
  const nth = random.between(1, 3)
  tell(`CHAOS_SEED=${SEED}: killed ${when} ${step} ${nth}`)
  world = await World.start({ random, cwd: tempDir() })
  const { aws, serving, load } = world
  await aws.goDown()
  await load.acknowledged(200)
  serving.order({ at: { step, when, nth } })
  if (isDrain) await aws.comeBack()
  await serving.died()
  await serving.kill()
  if (!isDrain) await aws.comeBack()
  // What the dead had claimed is free 30 s after its last sign of life.
  serving.order({ at: undefined, clockOffsetMs: 60_000 })
  await serving.restart()
  await load.acknowledged(200)
  await load.stop()
  await expectNothingLost(world)
}

describe('a server that is killed while it spills', () => {
  it.each(moments(IN_OUTAGE))(
    'loses nothing %s its %s',
    (when, step) => expectNothingLostAt(step, when, false),
    TIMEOUT_MS,
  )
})

describe('a server that is killed while it empties its spill', () => {
  it.each(moments(IN_DRAIN))(
    'loses nothing %s its %s',
    (when, step) => expectNothingLostAt(step, when, true),
    TIMEOUT_MS,
  )
})
