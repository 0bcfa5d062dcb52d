import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { systemClock } from '../../../plugin/clock.js'
import { openDeadLetters } from '../../../plugin/dead-letters/open-dead-letters.js'
import { itWithReadOnlyDisk, readOnlyDisk } from '../../read-only-disk.js'
import { tempDir } from '../../server/temp-dir.js'
import { silentLogger } from '../spill/harness.js'

function open(directory: string) {
  const configuration = { kind: 'directory', directory, maxBytes: 100_000_000 } as const
  return openDeadLetters(configuration, { clock: systemClock, logger: silentLogger() })
}

const PLACES = 'or an SQS queue or S3, such as s3://BUCKET/PREFIX'

describe('opening a directory of dead letters', () => {
  it('makes it, leaves nothing of its try, and keeps letters there', async () => {
    const directory = join(tempDir(), 'a', 'letters')
    const { store } = open(directory)
    expect(readdirSync(directory)).toEqual([])
    await store.write([
      {
        at: '2026-01-02T03:04:05.000Z',
        reason: 'why',
        code: 'ERR_INVALID_EVENT',
        source: null,
        stream: null,
        messageId: null,
        data: 1,
      },
    ])
    const [name = ''] = readdirSync(directory)
    expect(JSON.parse(readFileSync(join(directory, name), 'utf8'))).toMatchObject({ reason: 'why', data: 1 })
  })

  it.each([
    ['a file in its place', 'file', 'EEXIST', 'there is a file of that name: give another directory'],
    [
      'a file among its parents',
      'file/a/b',
      'ENOTDIR',
      'a part of the path is a file: give another directory',
    ],
  ])('throws with %s, before an event needs it, and says how to mend it', (_case, name, errno, fix) => {
    const root = tempDir()
    writeFileSync(join(root, 'file'), '')
    const directory = join(root, name)
    expect(() => open(directory)).toThrow(
      expect.objectContaining({
        code: 'ERR_SETTINGS',
        message: expect.stringMatching(
          `^Wrong settings:\n  deadLetters: got "${directory}", in which nothing can be kept; ${errno}: .*; ${fix}, ${PLACES}$`,
        ),
        cause: expect.objectContaining({ code: errno }),
      }),
    )
  })

  itWithReadOnlyDisk('throws on a read-only file system, though parents are missing as well', async () => {
    const directory = join(readOnlyDisk(), 'a', 'b')
    expect(() => open(directory)).toThrow(
      new RegExp(`deadLetters: got "${directory}".*EROFS: .*mount it writable.*${PLACES}`, 's'),
    )
  })
})
