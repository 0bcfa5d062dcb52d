import { readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { fixOf } from '../../../plugin/spill/disk-error.js'
import { openSpill } from '../../../plugin/spill/open-spill.js'
import { tryDirectory } from '../../../plugin/spill/probe.js'
import { FakeClock } from '../../fake-clock.js'
import { tempDir } from '../../server/temp-dir.js'
import { silentLogger } from './harness.js'

function open(directory: string) {
  const configuration = { directory, maxBytes: 1_000_000, drainShare: 0.25 }
  return openSpill({ configuration, clock: new FakeClock(), logger: silentLogger() })
}

describe('opening a spill', () => {
  it.each([
    ['a file in its place', 'spill', 'EEXIST', 'there is a file of that name: give another directory'],
    [
      'a file among its parents',
      'spill/a',
      'ENOTDIR',
      'a part of the path is a file: give another directory',
    ],
  ])('throws with %s, and says how to mend it', (_case, name, errno, fix) => {
    const root = tempDir()
    writeFileSync(join(root, 'spill'), '')
    const directory = join(root, name)
    expect(() => open(directory)).toThrow(
      expect.objectContaining({
        code: 'ERR_SETTINGS',
        message: expect.stringMatching(
          `^Wrong settings:\n  spill: got "${directory}", in which nothing can be kept \\(${errno}: .*\\); ${fix}$`,
        ),
        cause: expect.objectContaining({ code: errno }),
      }),
    )
  })

  it('leaves nothing of its check in the directory', () => {
    const directory = join(tempDir(), 'a', 'spill')
    tryDirectory(directory)
    expect(readdirSync(dirname(directory))).toEqual(['spill'])
    expect(readdirSync(directory)).toEqual([])
  })

  it.each([
    ['EROFS', 'mount it writable'],
    ['EACCES', 'let the user that runs this process write there'],
    ['EPERM', 'let the user that runs this process write there'],
    ['EINVAL', 'cannot make files durable'],
    ['EMFILE', 'LimitNOFILE'],
    ['EIO', 'the disk gives errors'],
    ['EBUSY', 'can be written and synced'],
  ])('knows how to mend %s', (code, fix) => {
    expect(fixOf(Object.assign(new Error(code), { code }))).toContain(fix)
  })
})
