import { execFileSync } from 'node:child_process'
import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import { tempDir } from '../server/temp-dir.js'
import { Random } from './random.js'
import { expectNothingLost, SEED, tell } from './verdict.js'
import { World } from './world.js'

const TIMEOUT_MS = 120_000
/** The least that `maxBytes` may be, where no disk can be had. */
const QUOTA_BYTES = 1_024_000

/** Ends when the test does, and not after it: a mounted disk keeps its directory from being removed. */
async function inWorld(work: (world: World, disk: string | undefined) => Promise<void>): Promise<void> {
  const disks: string[] = []
  const random = new Random(SEED)
  const world = await World.start({
    random,
    cwd: tempDir(),
    spill: { directory: './spill', maxBytes: QUOTA_BYTES },
    prepare: (directory) => {
      if (mountDisk(directory)) disks.push(directory)
    },
  })
  tell(`CHAOS_SEED=${SEED}, on ${disks.length > 0 ? 'a disk of its own' : 'a quota'}`)
  try {
    await work(world, disks[0])
  } finally {
    await world.end()
    for (const disk of disks) execFileSync('umount', [disk])
  }
}

function mount(...args: readonly string[]): boolean {
  try {
    execFileSync('mount', [...args], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** A disk of its own, where that is allowed. */
function mountDisk(directory: string): boolean {
  return mount('-t', 'tmpfs', '-o', 'size=1000k', 'tmpfs', directory)
}

/** The next so many answers of this status. */
async function answered({ load }: World, status: number, times = 10): Promise<void> {
  const before = load.answers.get(status) ?? 0
  while ((load.answers.get(status) ?? 0) < before + times) await wait(20)
}

describe('a spill', () => {
  it(
    'that is full answers 503, survives a restart, and empties itself',
    async () => {
      await inWorld(async (world) => {
        await answered(world, 200)
        await world.aws.goDown()
        await answered(world, 503)
        // Not killed: what the dead had claimed is free after 30 s only, and other tests kill.
        await world.serving.terminate()
        await world.serving.restart()
        await answered(world, 503)
        await world.aws.comeBack()
        await answered(world, 200)
        await world.load.stop()
        await expectNothingLost(world)
      })
    },
    TIMEOUT_MS,
  )

  it(
    'whose disk becomes read-only answers 503, and goes on when it can be written again',
    async () => {
      await inWorld(async (world, disk) => {
        if (disk === undefined) return tell('SKIPPED: no disk can be mounted here')
        const recover = world.aws.fault({ kind: 'throttle', action: 'PutRecordBatch' })
        await answered(world, 200)
        // Not while a file is being written.
        while (!mount('-o', 'remount,ro', disk)) await wait(5)
        await answered(world, 503)
        expect(mount('-o', 'remount,rw', disk)).toBe(true)
        recover()
        await answered(world, 200)
        await world.load.stop()
        await expectNothingLost(world)
      })
    },
    TIMEOUT_MS,
  )
})
