import { afterEach, describe, expect, it } from '@jest/globals'
import { tempDir } from '../server/temp-dir.js'
import type { Orders, Step } from './orders.js'
import { Random } from './random.js'
import { SEED, tell } from './verdict.js'
import { World } from './world.js'

type Bug = NonNullable<Orders['bug']>

/** When it is killed: when the bug has done its harm. */
const DEATHS: Readonly<Record<Bug, Step>> = { 'acks before durable': 'read', 'drops on retry': 'give back' }

let world: World

afterEach(() => world.end())

/** The server itself, with a bug, goes through an outage and is killed. Without one `killed.test.ts` finds nothing missing. */
async function missingOf(bug: Bug): Promise<number> {
  world = await World.start({ random: new Random(SEED), cwd: tempDir() })
  const { aws, serving, load } = world
  serving.order({ bug })
  const recover = aws.fault({ kind: 'error', code: 'InternalFailure', status: 500, action: 'PutRecordBatch' })
  await load.acknowledged(200)
  serving.order({ at: { step: DEATHS[bug], when: 'after', nth: 1 } })
  await serving.died()
  await serving.kill()
  serving.order({ bug: undefined, at: undefined, clockOffsetMs: 60_000 })
  recover()
  await serving.restart()
  await load.acknowledged(200)
  await load.stop()
  await world.settled()
  const { missing } = world.findings()
  tell(`${missing.length} missing of a server whose bug is: ${bug}`)
  return missing.length
}

describe('the check of the server itself', () => {
  it.each(['acks before durable', 'drops on retry'] as const)(
    'finds what is lost where it %s',
    async (bug) => {
      expect(await missingOf(bug)).toBeGreaterThan(0)
    },
    60_000,
  )
})
