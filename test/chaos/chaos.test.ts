import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, describe, expect, it } from '@jest/globals'
import { tempDir } from '../server/temp-dir.js'
import { Random } from './random.js'
import { AWS_SCENARIOS, CLOCK_SCENARIOS, PROCESS_SCENARIOS, type Scenario } from './scenarios.js'
import { expectNothingLost, MINUTES, SEED, tell } from './verdict.js'
import { World } from './world.js'

const SHORT_MS = 120_000
const FAULT_MS = 600
const CALM_MS = 150
const STRIKES_IN_ROUND = 15

let world: World | undefined

afterEach(async () => {
  await world?.end()
  world = undefined
})

async function newWorld(random: Random): Promise<World> {
  world = await World.start({ random, cwd: tempDir() })
  return world
}

/** Up to three at a time, of different parts. */
function mixtureOf(scenarios: readonly Scenario[], random: Random): Scenario[] {
  const chosen = random.shuffled(scenarios).slice(0, random.between(1, 3))
  return chosen.filter(({ part }, i) => chosen.findIndex((other) => other.part === part) === i)
}

async function strike(world: World, scenarios: readonly Scenario[], forMs = FAULT_MS): Promise<void> {
  tell(scenarios.map(({ name }) => name).join(' + '))
  const ends = []
  for (const scenario of scenarios) ends.push(await scenario.begin(world))
  await wait(forMs)
  for (const end of world.random.shuffled(ends)) await end()
  await wait(CALM_MS)
}

/** What is in it is a matter of chance alone, so that its seed repeats it. */
async function longRound(seed: number): Promise<void> {
  const random = new Random(seed)
  const world = await newWorld(random)
  const { load } = world
  for (let i = 0; i < STRIKES_IN_ROUND; i++) {
    const scenarios = mixtureOf([...AWS_SCENARIOS, ...CLOCK_SCENARIOS, ...PROCESS_SCENARIOS], random)
    await strike(world, scenarios, random.between(0, 5 * FAULT_MS))
  }
  await load.stop()
  await expectNothingLost(world)
  await world.end()
}

describe('what was acknowledged is not lost', () => {
  it(
    'whatever goes wrong, one by one and at once',
    async () => {
      tell(`CHAOS_SEED=${SEED}`)
      const random = new Random(SEED)
      const world = await newWorld(random)
      const { load } = world
      // First, so that what the dead had claimed is free again when the rest is over.
      for (const scenario of PROCESS_SCENARIOS) await strike(world, [random.pick(AWS_SCENARIOS), scenario])
      for (const scenario of random.shuffled([...AWS_SCENARIOS, ...CLOCK_SCENARIOS]))
        await strike(world, [scenario])
      for (let i = 0; i < 3; i++)
        await strike(world, mixtureOf([...AWS_SCENARIOS, ...CLOCK_SCENARIOS], random))
      await load.stop()
      await expectNothingLost(world)
      expect(load.acked.size).toBeGreaterThan(1_000)
    },
    SHORT_MS,
  )

  if (MINUTES > 0) {
    it(
      'for as long as was asked',
      async () => {
        const end = performance.now() + MINUTES * 60_000
        for (let seed = SEED; performance.now() < end; seed++) {
          tell(`a new round: CHAOS_SEED=${seed} npm run chaos`)
          await longRound(seed)
        }
      },
      MINUTES * 60_000 + SHORT_MS * 2,
    )
  }
})
