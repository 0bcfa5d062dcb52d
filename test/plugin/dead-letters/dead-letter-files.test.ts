import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it, jest } from '@jest/globals'
import { systemClock } from '../../../plugin/clock.js'
import type { DeadLetter } from '../../../plugin/dead-letters/dead-letter.js'
import { DeadLetterFiles } from '../../../plugin/dead-letters/dead-letter-files.js'
import { NOW, NOW_ISO } from '../../server/proxy-harness.js'
import { tempDir } from '../../server/temp-dir.js'

const letter = (messageId: string, data: unknown = { userId: 'ü' }): DeadLetter => ({
  at: NOW_ISO,
  reason: 'The event has no type',
  code: 'ERR_INVALID_EVENT',
  source: 'src_web',
  stream: null,
  messageId,
  data,
})

function harness() {
  const directory = join(tempDir(), 'a', 'dead-letters')
  const clock = { ...systemClock, now: NOW, wallTime: () => clock.now }
  const files = new DeadLetterFiles(directory, { ...systemClock, wallTime: clock.wallTime })
  const read = (day = '2026-01-02') => readFileSync(join(directory, `${day}.ndjson`), 'utf8')
  const idsIn = (day?: string) =>
    read(day)
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as DeadLetter).messageId)
  return { directory, clock, files, read, idsIn }
}

/** How often files are synced from here on. */
async function countSyncs() {
  const probe = await open(tempDir(), 'r')
  const spy = jest.spyOn(Object.getPrototypeOf(probe) as typeof probe, 'sync')
  await probe.close()
  return spy
}

/** The directories that are synced from here on, by their inodes; the first few of those syncs fail. */
async function directorySyncs(failures = 0) {
  const probe = await open(tempDir(), 'r')
  const { sync } = Object.getPrototypeOf(probe) as { sync: (this: FileHandle) => Promise<void> }
  const synced: number[] = []
  let left = failures
  jest.spyOn(Object.getPrototypeOf(probe) as FileHandle, 'sync').mockImplementation(async function (
    this: FileHandle,
  ) {
    const stats = await this.stat()
    if (stats.isDirectory() && left-- > 0) throw Object.assign(new Error('EIO: sync'), { code: 'EIO' })
    await sync.call(this)
    if (stats.isDirectory()) synced.push(stats.ino)
  })
  await probe.close()
  return synced
}

const inodeOf = (path: string) => statSync(path).ino

afterEach(() => {
  jest.restoreAllMocks()
})

describe('dead-letter files', () => {
  it('keep large groups whole, though several write to one file at once', async () => {
    const { directory, clock, read } = harness()
    const writers = Array.from(
      { length: 4 },
      () => new DeadLetterFiles(directory, { ...systemClock, wallTime: clock.wallTime }),
    )
    const large = 'x'.repeat(700_000)
    const groups = writers.flatMap((writer, i) =>
      Array.from({ length: 3 }, (_, j) =>
        writer.write([0, 1, 2].map((k) => letter(`${i}-${j}-${k}`, large))),
      ),
    )
    await Promise.all(groups)
    const whole = read()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => (JSON.parse(line) as DeadLetter).messageId)
    expect(new Set(whole).size).toBe(36)
  })

  it('hold a JSON line for each letter, in a file a day', async () => {
    const { files, clock, read, idsIn } = harness()
    await files.write([letter('a'), letter('b')])
    clock.now += 86_400_000
    await files.write([letter('c')])
    expect(read()).toBe(`${JSON.stringify(letter('a'))}\n${JSON.stringify(letter('b'))}\n`)
    expect(idsIn('2026-01-03')).toEqual(['c'])
  })

  it('are for their owner alone', async () => {
    const { files, directory } = harness()
    await files.write([letter('a')])
    expect(statSync(directory).mode & 0o777).toBe(0o700)
    expect(statSync(join(directory, '2026-01-02.ndjson')).mode & 0o777).toBe(0o600)
  })

  it('are synced before a write resolves, once for all that wait', async () => {
    const { files, idsIn } = harness()
    await files.write([letter('first')])
    const syncs = await countSyncs()
    const ids = Array.from({ length: 200 }, (_, i) => `m${i}`)
    await Promise.all(ids.map((id) => files.write([letter(id)])))
    expect(idsIn()).toEqual(['first', ...ids])
    expect(syncs).toHaveBeenCalledTimes(1)
  })

  it('reject a write that is not on the disk, and take the next one', async () => {
    const { files, idsIn } = harness()
    await files.write([letter('a')])
    const syncs = await countSyncs()
    syncs.mockRejectedValueOnce(Object.assign(new Error('no space left on device'), { code: 'ENOSPC' }))
    const problem = `no space left on device (in ${files.directory})`
    await expect(files.write([letter('b')])).rejects.toThrow(problem)
    await files.write([letter('c')])
    expect(idsIn()).toContain('c')
  })

  it('acknowledge nothing after a failed sync of a directory, until that directory is synced', async () => {
    const { files, directory } = harness()
    const parent = join(directory, '..')
    for (let failed = 0; ; failed++) {
      jest.restoreAllMocks()
      rmSync(parent, { recursive: true, force: true })
      // One sync more fails each time: of the parents that were made, and of the directory that holds the new file.
      const synced = await directorySyncs(failed)
      for (let n = 0; n < failed; n++) await expect(files.write([letter(`${n}`)])).rejects.toThrow('EIO')
      await files.write([letter('a')])
      const needed = [join(parent, '..'), parent, directory].map(inodeOf)
      expect(synced).toEqual(expect.arrayContaining(needed))
      if (failed === 4) break
    }
  })

  it('sync the directory of a file that another process has just made', async () => {
    const { files, directory } = harness()
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, '2026-01-02.ndjson'), `${JSON.stringify(letter('other'))}\n`)
    const synced = await directorySyncs()
    await files.write([letter('a')])
    expect(synced).toContain(inodeOf(directory))
    expect(synced).toContain(inodeOf(join(directory, '..')))
    synced.length = 0
    await files.write([letter('b')])
    expect(synced).toEqual([])
    rmSync(join(directory, '2026-01-02.ndjson'))
    writeFileSync(join(directory, '2026-01-02.ndjson'), `${JSON.stringify(letter('another'))}\n`)
    await files.write([letter('c')])
    expect(synced).toEqual([inodeOf(directory)])
  })

  it('say what to do about the error of the disk', async () => {
    const { files } = harness()
    const syncs = await countSyncs()
    syncs.mockRejectedValueOnce(Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' }))
    await expect(files.write([letter('a')])).rejects.toThrow(/EMFILE.*LimitNOFILE/)
  })

  it('remove what a process left behind that was killed while it tried the directory', async () => {
    const { files, directory, clock } = harness()
    mkdirSync(directory, { recursive: true })
    const [old, young] = ['.probe-0123456789abcdef', '.probe-fedcba9876543210']
    for (const name of [old, young]) writeFileSync(join(directory, name), '\n')
    utimesSync(join(directory, old), clock.now / 1000 - 4_000, clock.now / 1000 - 4_000)
    utimesSync(join(directory, young), clock.now / 1000 - 60, clock.now / 1000 - 60)
    await files.write([letter('a')])
    expect(readdirSync(directory)).toEqual([young, '2026-01-02.ndjson'])
  })

  it('reject where there can be no directory', async () => {
    const file = join(tempDir(), 'file')
    writeFileSync(file, '')
    await expect(new DeadLetterFiles(join(file, 'x'), systemClock).write([letter('a')])).rejects.toThrow(
      'ENOTDIR',
    )
  })

  it('begin a line of their own after one that was cut off', async () => {
    const { files, directory, read } = harness()
    mkdirSync(directory, { recursive: true })
    appendFileSync(join(directory, '2026-01-02.ndjson'), '{"at":"2026-')
    await files.write([letter('a')])
    expect(read()).toBe(`{"at":"2026-\n${JSON.stringify(letter('a'))}\n`)
  })

  it('are made anew when they were moved away', async () => {
    const { files, directory, idsIn } = harness()
    await files.write([letter('a')])
    rmSync(directory, { recursive: true })
    await files.write([letter('b')])
    expect(idsIn()).toEqual(['b'])
  })

  it('hold the rest of a letter whose event cannot be written', async () => {
    const { files, read } = harness()
    await files.write([letter('a', { n: 1n })])
    expect(JSON.parse(read())).toEqual(letter('a', null))
  })

  it('hold an event that is nested deeper than JSON.stringify goes', async () => {
    const { files, read } = harness()
    const deep = `${'['.repeat(20_000)}"kept"${']'.repeat(20_000)}`
    await files.write([letter('a', JSON.parse(deep))])
    expect(read().endsWith('\n')).toBe(true)
    expect(read()).toContain(`"data":${deep}`)
  })

  it('are not made for nothing', async () => {
    const { files, directory } = harness()
    await files.write([])
    expect(() => readdirSync(directory)).toThrow('ENOENT')
  })
})
