import {
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { nodeFileSystem, type SpillFileSystem } from '../../../plugin/spill/file-system.js'
import { openSpillDirectory } from '../../../plugin/spill/spill-directory.js'
import { FakeClock } from '../../fake-clock.js'
import { tempDir } from '../../server/temp-dir.js'
import { APP, claimed, drain, idsOf, records, silentLogger, WEB } from './harness.js'

/** Spills on the real disk. Whatever a test waits for, it is not time. */
function onDisk(directory = join(tempDir(), 'a', 'b', 'spill')) {
  const clock = new FakeClock()
  const logger = silentLogger()
  const open = (fs: SpillFileSystem = nodeFileSystem) =>
    openSpillDirectory({ directory, maxBytes: 100_000_000, clock, logger, fs })
  const files = () => readdirSync(directory).filter((name) => name.includes('.ndjson'))
  return { directory, open, files, logger }
}

const modeOf = (path: string) => statSync(path).mode & 0o777

describe('a spill on a real disk', () => {
  it('is read by cat, and by nobody but its owner', async () => {
    const { directory, open, files } = onDisk()
    const spill = await open()
    await spill.append(WEB, records('a', 'ü'))
    const [name = ''] = files()
    expect(readFileSync(join(directory, name), 'utf8')).toBe('{"id":"a"}\n{"id":"ü"}\n')
    await claimed(spill)
    for (const file of readdirSync(directory, { recursive: true, withFileTypes: true }))
      expect(modeOf(join(file.parentPath, file.name))).toBe(file.isDirectory() ? 0o700 : 0o600)
    for (const parent of [directory, dirname(directory), dirname(dirname(directory))])
      expect(modeOf(parent)).toBe(0o700)
    await spill.close()
  })

  it('goes on from what an earlier process left', async () => {
    const { open, files, logger } = onDisk()
    const first = await open()
    await first.append(WEB, records('a'))
    await first.append(APP, records('b', 'c'))
    const { files: count, records: held, bytes } = first.stats()
    await first.close()

    const second = await open()
    expect(second.stats()).toMatchObject({ files: count, records: held, bytes })
    const claim = await claimed(second, APP)
    await claim.release([1])
    expect(await drain(second, WEB, APP)).toEqual(['a', 'c'])
    expect(files()).toEqual([])
    await second.close()
    expect(logger.warn).not.toHaveBeenCalled()
  })

  it.each<[string, (path: string, elsewhere: string) => void]>([
    ['a directory', (path) => mkdirSync(path)],
    ['a link to a file elsewhere', (path, elsewhere) => symlinkSync(elsewhere, path)],
    ['a link to nothing', (path) => symlinkSync(`${path}.missing`, path)],
    ['a link to itself', (path) => symlinkSync(path, path)],
  ])('leaves alone what has a name of its own but is no file: %s', async (_case, make) => {
    const { directory, open, files, logger } = onDisk()
    const first = await open()
    await first.append(WEB, records('a'))
    const [name = ''] = files()
    await first.close()
    const elsewhere = join(dirname(directory), 'elsewhere')
    writeFileSync(elsewhere, 'password\n')
    const foreign = name.replace(/[a-f0-9]{16}\.ndjson$/, '0'.repeat(16).concat('.ndjson'))
    make(join(directory, foreign), elsewhere)

    const spill = await open()
    expect(spill.stats()).toMatchObject({ files: 1, records: 1 })
    expect(await drain(spill)).toEqual(['a'])
    expect(files()).toEqual([foreign])
    expect(logger.warn).not.toHaveBeenCalled()
    await spill.close()
  })

  it('is shared by two that claim at the same time', async () => {
    const { open, files } = onDisk()
    const writer = await open()
    for (let n = 0; n < 30; n++) await writer.append(WEB, records(n))
    await writer.close()
    const spills = [await open(), await open()]
    const found = await Promise.all(spills.map((spill) => drain(spill)))
    expect(found.flat().sort()).toEqual(Array.from({ length: 30 }, (_, n) => String(n)).sort())
    expect(files()).toEqual([])
    for (const spill of spills) await spill.close()
  })

  it('takes a thousand appends with a handful of fsyncs', async () => {
    const synced: string[] = []
    const { open } = onDisk()
    const spill = await open({
      ...nodeFileSystem,
      async create(path) {
        const file = await nodeFileSystem.create(path)
        return { ...file, sync: () => file.sync().then(() => void synced.push(path)) }
      },
      syncDirectory: (path) => nodeFileSystem.syncDirectory(path).then(() => void synced.push(path)),
    })
    synced.length = 0
    await Promise.all(Array.from({ length: 1_000 }, (_, n) => spill.append(WEB, records(n))))
    expect(synced.length).toBeGreaterThanOrEqual(2)
    expect(synced.length).toBeLessThanOrEqual(4)
    const claim = await claimed(spill)
    expect(idsOf(claim.records)).toEqual(Array.from({ length: 1_000 }, (_, n) => String(n)))
    await spill.close()
  })

  it('makes each directory durable that it made, in its parent', async () => {
    const root = tempDir()
    const { directory, open } = onDisk(join(root, 'a', 'b'))
    const synced: string[] = []
    const fs: SpillFileSystem = {
      ...nodeFileSystem,
      syncDirectory: (path) => nodeFileSystem.syncDirectory(path).then(() => void synced.push(path)),
    }
    const spill = await open(fs)
    expect(synced).toEqual(expect.arrayContaining([root, join(root, 'a'), directory]))
    await spill.close()
  })

  it('is not opened before the parents are synced, also where an earlier try made the directory', async () => {
    const root = tempDir()
    const { directory, open } = onDisk(join(root, 'a', 'b'))
    let failures = 2
    const synced: string[] = []
    const fs: SpillFileSystem = {
      ...nodeFileSystem,
      async syncDirectory(path) {
        if (path === root && failures-- > 0) throw Object.assign(new Error('EIO'), { code: 'EIO' })
        await nodeFileSystem.syncDirectory(path)
        synced.push(path)
      },
    }
    // Each try is a spill of its own, which remembers nothing of the one before.
    for (let tries = 0; tries < 2; tries++) await expect(open(fs)).rejects.toMatchObject({ code: 'EIO' })
    const spill = await open(fs)
    expect(synced).toEqual(expect.arrayContaining([root, join(root, 'a'), directory]))
    await spill.close()
  })

  it('removes what was left behind by a process that was killed while it tried the directory', async () => {
    const { directory, open } = onDisk(tempDir())
    const [old, young] = ['.probe-0123456789abcdef-renamed', '.probe-fedcba9876543210']
    for (const name of [old, young]) writeFileSync(join(directory, name), '\n')
    const now = new FakeClock().wallTime() / 1000
    utimesSync(join(directory, old), now - 4_000, now - 4_000)
    utimesSync(join(directory, young), now, now)
    const spill = await open()
    await spill.close()
    expect(readdirSync(directory).sort()).toEqual(['.instances', young])
  })

  it.each([
    ['a file in its place', (path: string) => writeFileSync(path, ''), 'EEXIST'],
    [
      'a file among its parents',
      (path: string) => {
        writeFileSync(path, '')
        return join(path, 'spill')
      },
      'ENOTDIR',
    ],
  ])('is not opened with %s', async (_name, put, errno) => {
    const path = join(tempDir(), 'spill')
    const directory = put(path) ?? path
    await expect(onDisk(directory).open()).rejects.toMatchObject({ code: errno })
  })

  it('leaves alone what is not its own', async () => {
    const { directory, open } = onDisk(tempDir())
    writeFileSync(join(directory, 'README'), 'mine')
    writeFileSync(join(directory, 'events.ndjson'), '{}\n')
    mkdirSync(join(directory, 'dead-letters'))
    const spill = await open()
    expect(spill.stats().files).toBe(0)
    await spill.close()
    expect(readdirSync(directory).sort()).toEqual(['.instances', 'README', 'dead-letters', 'events.ndjson'])
  })
})
