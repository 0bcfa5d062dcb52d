import { join } from 'node:path'
import type { Clock } from '../clock.js'
import { errnoOf } from './disk-error.js'
import { claimedName, type FoundName, parseName, temporaryName } from './file-name.js'
import { removeIfPossible, type SpillFileSystem } from './file-system.js'
import type { Instances } from './instances.js'
import { type Inventory, SpillFile } from './inventory.js'
import { removeOldProbes } from './probe.js'
import { someAtATime } from './some-at-a-time.js'
import type { SpillWriter } from './writer.js'

const MAX_STEPS_AT_ONCE = 32

export interface ScanOptions {
  readonly directory: string
  readonly fs: SpillFileSystem
  readonly inventory: Inventory
  readonly instances: Instances
  readonly writer: SpillWriter
  readonly clock: Pick<Clock, 'wallTime'>
}

/**
 * Brings the inventory up to date with the directory, where other processes write and claim, too.
 *
 * The directory goes on changing meanwhile, so the inventory is never more than likely: each step on a file must
 * expect that it is gone. A file that was overlooked is found by the next scan.
 */
export async function scan({
  directory,
  fs,
  inventory,
  instances,
  writer,
  clock,
}: ScanOptions): Promise<void> {
  const known = inventory.all().filter((file) => !file.inHand)
  const names = await fs.list(directory)
  // After the listing: who claims has a heartbeat before, so nobody in the listing is missing here but the dead.
  await instances.look()

  const seen = new Set<string>()
  const steps: (() => Promise<void>)[] = []
  for (const found of names.map(parseName)) {
    if (found === undefined || found.state === 'torn') continue
    if (found.state === 'temporary') steps.push(() => removeIfAbandoned(found))
    else if (!writer.isWriting(found.base)) {
      seen.add(found.base)
      steps.push(() => note(found))
    }
  }
  await someAtATime(steps, MAX_STEPS_AT_ONCE, (step) => step())
  for (const file of known) if (!seen.has(file.base) && !file.inHand) inventory.drop(file)
  await removeOldProbes(fs, directory, names, clock.wallTime())

  /** No append of a temporary file was ever confirmed. The living are still writing theirs. */
  async function removeIfAbandoned({ base, name, owner = '' }: FoundName): Promise<void> {
    const isOurs = owner === instances.id
    if (isOurs && (writer.isWriting(base) || inventory.get(name.target, base)?.inHand)) return
    if (instances.isOtherAlive(owner)) return
    await removeIfPossible(fs, join(directory, temporaryName(base, owner)))
  }

  async function note({ base, name, owner, state }: FoundName): Promise<void> {
    const file = inventory.get(name.target, base)
    if (file !== undefined) {
      if (!file.inHand) file.holder = owner
      return
    }
    try {
      const path = join(directory, state === 'claimed' ? claimedName(base, owner ?? '') : base)
      const { size, isFile } = await fs.stat(path)
      if (isFile) inventory.add(new SpillFile(name, size, owner))
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error
    }
  }
}
