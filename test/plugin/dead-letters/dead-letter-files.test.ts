import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
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
