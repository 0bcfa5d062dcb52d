import { afterEach, describe, expect, it } from '@jest/globals'
import { tempDir } from '../server/temp-dir.js'
import type { Orders } from './orders.js'
import { Random } from './random.js'
import { SEED, tell } from './verdict.js'
import { World } from './world.js'

let world: World

afterEach(() => world.end())

/** The server itself goes through an outage, whose disk does what it should or has a bug; it is killed and restarted. */
async function missingOf(bug: Orders['bug']): Promise<number> {
  world = await World.start({ random: new Random(SEED), cwd: tempDir() })
  const { aws, serving, load } = world
  serving.order({ bug })
  const recover = aws.fault({ kind: 'error', code: 'InternalFailure', status: 500, action: 'PutRecordBatch' })
  await load.acknowledged(500)
  // What was claimed has gone back by now, in one way or the other.
  serving.order({ at: { step: 'read', when: 'after', nth: 3 } })
  await serving.died()
  await serving.kill()
  serving.order({ bug: undefined, at: undefined, clockOffsetMs: 60_000 })
  recover()
  await serving.restart()
  await load.acknowledged(200)
  await load.stop()
  await world.settled()
  const { missing } = world.findings()
  tell(`${missing.length} missing of a server whose bug is: ${bug ?? 'none'}`)
  return missing.length
}

describe('the check of the server itself', () => {
  it('finds nothing missing where it has no bug', async () => {
    expect(await missingOf(undefined)).toBe(0)
  }, 60_000)

  it.each(['acks before durable', 'drops on retry'] as const)(
    'finds what is lost where it %s',
    async (bug) => {
      expect(await missingOf(bug)).toBeGreaterThan(0)
    },
    60_000,
  )
})
