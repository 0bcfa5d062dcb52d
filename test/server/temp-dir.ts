import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from '@jest/globals'

const made: string[] = []

/** A new directory that is gone when the tests of the file are over. */
export function tempDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'analytics-firehose-'))
  made.push(dir)
  return dir
}

// Not after each test: what a test leaves running may still write there.
afterAll(() => {
  for (const dir of made.splice(0))
    rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
})
