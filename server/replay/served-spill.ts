import { readdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Clock } from '../../plugin/clock.js'
import { errnoOf } from '../../plugin/spill/disk-error.js'
import { DEAD_AFTER_MS, INSTANCES_FOLDER } from '../../plugin/spill/instances.js'
import type { InputFile } from './input-files.js'

/**
 * The folder of a spill among the files that a living process is sending from; `undefined` where there is none.
 *
 * @throws the system's error where that cannot be found out: then the files must not be sent
 */
export async function servedSpill(
  files: readonly InputFile[],
  clock: Pick<Clock, 'wallTime'>,
): Promise<string | undefined> {
  const ofSpills = files.filter(({ stream }) => stream !== undefined)
  const folders = new Set(ofSpills.map(({ path }) => dirname(path)))
  for (const folder of folders) {
    if (await isServed(join(folder, INSTANCES_FOLDER), clock)) return folder
  }
  return undefined
}

async function isServed(instances: string, clock: Pick<Clock, 'wallTime'>): Promise<boolean> {
  const ids = await readdir(instances).catch(ifMissing)
  const seen = await Promise.all((ids ?? []).map((id) => stat(join(instances, id)).catch(ifMissing)))
  return seen.some((it) => it !== undefined && clock.wallTime() - it.mtimeMs < DEAD_AFTER_MS)
}

function ifMissing(error: unknown): undefined {
  if (errnoOf(error) !== 'ENOENT') throw error
}
