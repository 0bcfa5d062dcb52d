import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, it } from '@jest/globals'

const mounted: string[] = []

/** Mounts a disk of its own that is read-only. @throws where this user may not mount one */
export function readOnlyDisk(): string {
  const disk = mkdtempSync(join(tmpdir(), 'read-only-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro,size=1m', 'tmpfs', disk], { stdio: 'ignore' })
  } catch (error) {
    rmdirSync(disk)
    throw error
  }
  mounted.push(disk)
  return disk
}

const canMount = isMountable()

/** A test that needs a read-only disk: skipped where this user may not mount one. */
export function itWithReadOnlyDisk(name: string, test: () => Promise<void>): void {
  if (canMount) it(name, test)
  else it.skip(name, test)
}

afterAll(unmount)

function isMountable(): boolean {
  try {
    readOnlyDisk()
    unmount()
    return true
  } catch {
    return false
  }
}

function unmount(): void {
  for (const disk of mounted.splice(0)) {
    execFileSync('umount', [disk])
    rmdirSync(disk)
  }
}
