import { join } from 'node:path'
import { jest } from '@jest/globals'
import type { Spill, SpillClaim, SpillTarget } from '../../../plugin/spill/spill.js'
import { openSpillDirectory } from '../../../plugin/spill/spill-directory.js'
import { FakeClock } from '../../fake-clock.js'
import { type Intercept, MemoryDisk } from './memory-disk.js'

export const DIRECTORY = '/var/spill'
export const WEB: SpillTarget = { key: '0123456789abcdef', stream: 'web-events' }
export const APP: SpillTarget = { key: 'fedcba9876543210', stream: 'app.events' }
/** Until others take a silent process for dead, and have looked. */
export const UNTIL_DEAD_MS = 36_000

export const record = (id: string | number): Uint8Array => Buffer.from(`${JSON.stringify({ id })}\n`)
export const records = (...ids: (string | number)[]): Uint8Array[] => ids.map(record)
export const idsOf = (some: readonly Uint8Array[]): string[] =>
  some.map((bytes) => String((JSON.parse(Buffer.from(bytes).toString()) as { id: unknown }).id))

export function silentLogger() {
  return { info: jest.fn(), warn: jest.fn<(m: string) => void>(), error: jest.fn<(m: string) => void>() }
}

/** Spills on a disk in memory, and the clock they share. */
export function harness({ disk = new MemoryDisk(), clock = new FakeClock() } = {}) {
  const logger = silentLogger()
  const open = (intercept?: Intercept, maxBytes = 1_000_000) =>
    openSpillDirectory({ directory: DIRECTORY, maxBytes, clock, logger, fs: disk.fileSystem(intercept) })
  const files = () => disk.files(DIRECTORY).filter((name) => name.includes('.ndjson'))
  const pathOf = (name: string) => join(DIRECTORY, name)
  return { disk, clock, logger, open, files, pathOf }
}

/** Claims and confirms until nothing is left. */
export async function drain(spill: Spill, ...targets: readonly SpillTarget[]): Promise<string[]> {
  const ids: string[] = []
  for (const target of targets.length > 0 ? targets : [WEB])
    for (let claim = await spill.claim(target); claim; claim = await spill.claim(target)) {
      ids.push(...idsOf(claim.records))
      await claim.done()
    }
  return ids
}

/** Claims what must be there. */
export async function claimed(spill: Spill, target = WEB): Promise<SpillClaim> {
  const claim = await spill.claim(target)
  if (claim === undefined) throw new Error('Nothing to claim')
  return claim
}
