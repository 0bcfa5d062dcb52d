import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from '@jest/globals'
import { nodeFileSystem } from '../../../plugin/spill/file-system.js'
import { formatOf, type InputFile, inputFiles, type PassedOver } from '../../../server/replay/input-files.js'
import { tempDir } from '../temp-dir.js'
import { event, folder, ndjson, startReplays } from './harness.js'

const servers: Server[] = []

afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

async function socketAt(path: string): Promise<void> {
  const server = createServer()
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(path, resolve))
}

/** Whoever opens it waits for a writer, unless told not to. */
function fifoAt(path: string): void {
  execFileSync('mkfifo', [path])
}

async function listed(dir: string) {
  const passed: PassedOver[] = []
  const files = await inputFiles(dir, (entry) => passed.push(entry))
  return {
    names: files.map(({ name }) => name),
    passed: passed.map(({ name, why }) => `${name}: ${why}`),
    entries: passed,
  }
}

/** What is in a folder that is no file of events, beside two that are. */
async function oddFolder(): Promise<string> {
  const dir = folder({ 'a.ndjson': ndjson([event(1)]), 'sub/z.ndjson': ndjson([event(2)]) })
  fifoAt(join(dir, 'fifo'))
  await socketAt(join(dir, 'socket'))
  symlinkSync(join(dir, 'missing'), join(dir, 'dangling'))
  symlinkSync(join(dir, 'loop'), join(dir, 'loop'))
  symlinkSync('/dev/zero', join(dir, 'device'))
  symlinkSync('..', join(dir, 'sub', 'up'))
  symlinkSync(join(dir, 'fifo'), join(dir, 'to-fifo'))
  return dir
}

describe('inputFiles', () => {
  it('names what is no file, and goes on with the rest', async () => {
    const { names, passed, entries } = await listed(await oddFolder())
    expect(names).toEqual(['a.ndjson', 'sub/z.ndjson'])
    expect(passed).toEqual([
      'dangling: it is a link to nothing',
      'device: it is a link to a device',
      'fifo: it is a pipe',
      'loop: it is a link that leads back to itself',
      'socket: it is a socket',
      'sub/up: it is a link to a folder',
      'to-fifo: it is a link to a pipe',
    ])
    expect(entries.every(({ isUnreadable }) => !isUnreadable)).toBe(true)
  })

  it('follows a link to a file', async () => {
    const dir = folder({ 'real.ndjson': ndjson([event(1)]) })
    mkdirSync(join(dir, 'links'))
    symlinkSync(join(dir, 'real.ndjson'), join(dir, 'links', 'link.ndjson'))
    expect(await listed(join(dir, 'links'))).toMatchObject({ names: ['link.ndjson'], passed: [] })
  })

  it('names a folder that cannot be read, as there may be events in it, and goes on with the rest', async () => {
    const dir = folder({ 'a.ndjson': ndjson([event(1)]), 'sub/z.ndjson': ndjson([event(2)]) })
    chmodSync(dir, 0o755)
    chmodSync(join(dir, 'sub'), 0)
    const isRoot = process.getuid?.() === 0
    try {
      // Root may read anything.
      if (isRoot) process.seteuid?.(65_534)
      const { names, entries } = await listed(dir)
      expect(names).toEqual(['a.ndjson'])
      expect(entries).toEqual([{ name: 'sub', why: expect.stringMatching(/^EACCES/), isUnreadable: true }])
    } finally {
      if (isRoot) process.seteuid?.(0)
      chmodSync(join(dir, 'sub'), 0o755)
    }
  })

  it.each([
    ['a pipe', fifoAt],
    ['a socket', socketAt],
    ['a device', (path: string) => symlinkSync('/dev/zero', path)],
  ])('refuses %s of its own', async (kind, make) => {
    const path = join(tempDir(), 'odd')
    await make(path)
    await expect(inputFiles(path)).rejects.toThrow(`${path} is ${kind} and no file`)
  })
})

describe('a pipe in place of a file', () => {
  it('that was one when it was listed is not waited for', async () => {
    const path = join(tempDir(), 'a.ndjson')
    fifoAt(path)
    const file: InputFile = { path, name: 'a.ndjson', size: 10, inode: 1, stream: undefined }
    await expect(formatOf(file)).rejects.toThrow('is a pipe and no file')
  })

  it('is not waited for where the progress, a lock or a file of the spill is read', async () => {
    const path = join(tempDir(), '.replay-0.json')
    fifoAt(path)
    await expect(nodeFileSystem.read(path)).rejects.toThrow('is a pipe and no file')
  })
})

describe('a replay of a folder with odd entries', () => {
  it('sends all that is in the files, and counts what could not be read', async () => {
    const { run, taken, close } = await startReplays()
    try {
      const dir = await oddFolder()
      writeFileSync(join(dir, 'b.ndjson'), 'PK\x03\x04')
      const result = await run(dir, { unreadable: 1 })
      expect(taken('everything')).toEqual(['m1', 'm2'])
      expect([...result.tally.failed]).toEqual([['unreadable file', 2]])
    } finally {
      await close()
    }
  })
})
