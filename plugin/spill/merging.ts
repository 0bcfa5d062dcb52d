import type { Clock } from '../clock.js'
import type { DirectoryClaims } from './directory-claims.js'
import type { Inventory, SpillFile } from './inventory.js'

/** A trickle of records makes up to ten files a second: a day of it would come to a million. */
const MANY_FILES = 500
/** What comes of so many files is larger, so that no record is written again and again. */
const SMALL_FILE_BYTES = 64 * 1024

/** Between two heartbeats: who is late with one is taken for dead. The rest is for the next time. */
const MAX_MS = 2_000

/**
 * Makes one file of the oldest small ones of each target that has many, durable before they go. A crash between leaves
 * duplicates at worst.
 */
export async function mergeSmallFiles(
  inventory: Inventory,
  claims: Pick<DirectoryClaims, 'claim'>,
  clock: Pick<Clock, 'now'>,
): Promise<void> {
  const end = clock.now() + MAX_MS
  for (const target of inventory.targets()) {
    if (clock.now() > end) return
    if (!hasManySmall(inventory.oldestFirst(target))) continue
    const claim = await claims.claim(target, isSmall)
    await claim?.merge()
  }
}

function hasManySmall(files: Iterable<SpillFile>): boolean {
  let count = 0
  for (const file of files) if (isSmall(file) && !file.inHand && ++count >= MANY_FILES) return true
  return false
}

function isSmall({ bytes }: SpillFile): boolean {
  return bytes < SMALL_FILE_BYTES
}
