import { EventEmitter } from 'node:events'
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from '@jest/globals'
import { systemClock } from '../../../plugin/clock.js'
import { type ConfigWatchOptions, watchConfigFile } from '../../../server/config/config-watch.js'
import { FakeClock } from '../../fake-clock.js'
import { tempDir } from '../temp-dir.js'

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

function harness(options: Partial<ConfigWatchOptions> = {}) {
  const file = join(tempDir(), 'config.yaml')
  writeFileSync(file, 'one')
  return { ...watching(file, options), file }
}

/** Watches with directory events that come when the test says so. */
function watching(file: string, options: Partial<ConfigWatchOptions> = {}) {
  const clock = new FakeClock()
  const signals = new EventEmitter()
  const watcher = Object.assign(new EventEmitter(), { close: () => void closed.push('watcher') })
  const closed: string[] = []
  const logged: string[] = []
  const log = (line: string) => logged.push(line)
  const watched: { dir: string; onEvent: () => void }[] = []
  let changes = 0
  const { close } = watchConfigFile({
    file,
    signals,
    clock,
    logger: { warn: log, error: log },
    onChange: () => void changes++,
    watch: (dir, onEvent) => {
      watched.push({ dir, onEvent })
      return watcher
    },
    ...options,
  })
  closers.push(close)
  return {
    clock,
    signals,
    watcher,
    closed,
    logged,
    watched,
    close,
    changes: () => changes,
    event: () => watched[0]?.onEvent(),
    /** Something in the directory changed, and then nothing for a while. */
    async settle() {
      watched[0]?.onEvent()
      await clock.advance(400)
    },
  }
}

/** An `onChange` that ends when it is told to. */
function slowChange() {
  const ends: (() => void)[] = []
  return { ends, onChange: () => new Promise<void>((resolve) => ends.push(resolve)) }
}

describe('watchConfigFile, by the file', () => {
  it('tells of another content when two looks, 200 ms apart, have found it, once', async () => {
    const it = harness()
    writeFileSync(it.file, 'two')
    it.event()
    it.event()
    await it.clock.advance(399)
    it.event()
    expect(it.changes()).toBe(0)
    await it.clock.advance(1)
    expect(it.changes()).toBe(1)
    await it.settle()
    expect(it.changes()).toBe(1)
    expect(it.clock.timers).toBe(0)
  })

  it('takes a file that cannot be read for a change, and looks until it can be read again', async () => {
    const it = harness()
    rmSync(it.file)
    symlinkSync(it.file, it.file)
    await it.settle()
    expect(it.changes()).toBe(1)
    rmSync(it.file)
    writeFileSync(it.file, 'one')
    // Without any event.
    await it.clock.advance(5_200)
    expect(it.changes()).toBe(2)
    expect(it.clock.timers).toBe(0)
  })

  it('waits until a file that is being written is whole', async () => {
    const it = harness()
    for (const content of ['', 'tw', 'two']) {
      writeFileSync(it.file, content)
      it.event()
      await it.clock.advance(150)
    }
    expect(it.changes()).toBe(0)
    await it.clock.advance(150)
    expect(it.changes()).toBe(1)
  })

  it('is not put off by a directory in which something always happens', async () => {
    const it = harness()
    writeFileSync(it.file, 'two')
    for (let i = 0; i < 8; i++) {
      it.event()
      await it.clock.advance(50)
    }
    expect(it.changes()).toBe(1)
  })

  it('reads the file once in 200 ms, however much happens beside it, and never at the event itself', async () => {
    let reads = 0
    const it = harness({
      hash: (file) => {
        reads++
        return readFileSync(file, 'utf8')
      },
    })
    for (let i = 0; i < 200; i++) it.event()
    expect(reads).toBe(1)
    await it.clock.advance(200)
    expect(reads).toBe(2)
    for (let i = 0; i < 200; i++) {
      it.event()
      await it.clock.advance(10)
    }
    expect(reads).toBe(12)
    await it.clock.advance(1_000)
    expect([reads, it.changes(), it.clock.timers]).toEqual([12, 0, 0])
  })

  it('says nothing where the content is the same', async () => {
    const it = harness()
    utimesSync(it.file, new Date(0), new Date(0))
    await it.settle()
    writeFileSync(join(it.file, '..', 'unrelated'), 'x')
    await it.settle()
    writeFileSync(it.file, 'one')
    await it.settle()
    expect(it.changes()).toBe(0)
    expect(it.clock.timers).toBe(0)
  })

  it('says nothing of a change that is taken back at once', async () => {
    const it = harness()
    writeFileSync(it.file, 'two')
    it.event()
    writeFileSync(it.file, 'one')
    await it.clock.advance(400)
    expect(it.changes()).toBe(0)
  })

  it('tells of one that is taken back later, too', async () => {
    const it = harness()
    writeFileSync(it.file, 'two')
    await it.settle()
    writeFileSync(it.file, 'one')
    await it.settle()
    expect(it.changes()).toBe(2)
  })

  it('watches the directory, and sees a file that is put in the place of the other', async () => {
    const it = harness()
    expect(it.watched.map(({ dir }) => dir)).toEqual([join(it.file, '..')])
    writeFileSync(`${it.file}.tmp`, 'two')
    renameSync(`${it.file}.tmp`, it.file)
    await it.settle()
    expect(it.changes()).toBe(1)
  })

  it('goes on when the file is gone, and tells when it is back with another content', async () => {
    const it = harness()
    rmSync(it.file)
    await it.settle()
    writeFileSync(it.file, 'one')
    await it.settle()
    expect(it.changes()).toBe(0)
    rmSync(it.file)
    await it.settle()
    writeFileSync(it.file, 'two')
    await it.settle()
    expect(it.changes()).toBe(1)
  })

  it('forgets a change of a file that goes before it has settled', async () => {
    const it = harness()
    writeFileSync(it.file, 'two')
    it.event()
    rmSync(it.file)
    await it.clock.advance(1_000)
    expect([it.changes(), it.clock.timers]).toEqual([0, 0])
  })

  it('sees Kubernetes swap the symbolic link of a ConfigMap', async () => {
    const dir = tempDir()
    const swap = swapperOf(dir)
    swap('1', 'one')
    symlinkSync('..data/config.yaml', join(dir, 'config.yaml'))
    const it = watching(join(dir, 'config.yaml'))
    swap('2', 'one')
    await it.settle()
    expect(it.changes()).toBe(0)
    swap('3', 'two')
    await it.settle()
    expect(it.changes()).toBe(1)
  })

  it('says nothing after close', async () => {
    const it = harness()
    writeFileSync(it.file, 'two')
    it.event()
    it.close()
    it.close()
    await it.clock.advance(1_000)
    it.signals.emit('SIGHUP')
    await it.clock.settle()
    expect([it.changes(), it.closed, it.signals.listenerCount('SIGHUP')]).toEqual([0, ['watcher'], 0])
  })
})

describe('watchConfigFile, by the signal', () => {
  it('tells at SIGHUP at once, whatever the file holds', () => {
    const it = harness()
    it.signals.emit('SIGHUP')
    it.signals.emit('SIGHUP')
    expect(it.changes()).toBe(1)
  })

  it('is left with it where the directory cannot be watched, and says so once', () => {
    const it = harness({
      watch: () => {
        throw new Error('ENOSPC: no watchers left')
      },
    })
    expect(it.logged).toEqual([`Changes of ${it.file} are taken up at SIGHUP only: ENOSPC: no watchers left`])
    it.signals.emit('SIGHUP')
    expect(it.changes()).toBe(1)
  })

  it('is left with it when watching fails later, and says so once', () => {
    const it = harness()
    it.watcher.emit('error', new Error('EPERM'))
    it.watcher.emit('error', new Error('EPERM'))
    expect(it.logged).toEqual([`Changes of ${it.file} are taken up at SIGHUP only: EPERM`])
    it.close()
    expect(it.closed).toEqual(['watcher'])
  })

  it('does without a directory and without a logger', () => {
    const close = watchConfigFile({
      file: join(tempDir(), 'none', 'config.yaml'),
      signals: new EventEmitter(),
      clock: new FakeClock(),
      onChange: () => {},
    }).close
    expect(close).not.toThrow()
  })
})

describe('watchConfigFile, while the last change is still taken up', () => {
  it('waits, and tells of any number of changes once', async () => {
    const { ends, onChange } = slowChange()
    const it = harness({ onChange })
    it.signals.emit('SIGHUP')
    writeFileSync(it.file, 'two')
    await it.settle()
    it.signals.emit('SIGHUP')
    expect(ends).toHaveLength(1)
    ends[0]?.()
    await it.clock.settle()
    expect(ends).toHaveLength(2)
    ends[1]?.()
    await it.clock.settle()
    expect(ends).toHaveLength(2)
    it.signals.emit('SIGHUP')
    expect(ends).toHaveLength(3)
  })

  it('forgets what waits at close', async () => {
    const { ends, onChange } = slowChange()
    const it = harness({ onChange })
    it.signals.emit('SIGHUP')
    it.signals.emit('SIGHUP')
    it.close()
    ends[0]?.()
    await it.clock.settle()
    expect(ends).toHaveLength(1)
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('odd')
      },
    ],
    ['rejects', () => Promise.reject(new Error('odd'))],
  ])('goes on when it %s, and says so', async (_how, fail) => {
    let calls = 0
    const it = harness({
      onChange: () => {
        calls++
        return fail()
      },
    })
    it.signals.emit('SIGHUP')
    await it.clock.settle()
    it.signals.emit('SIGHUP')
    await it.clock.settle()
    expect(calls).toBe(2)
    expect(it.logged).toEqual(Array(2).fill('Taking up the config file failed: odd'))
  })
})

describe('watchConfigFile, with fs.watch', () => {
  const edit = (file: string, content: string) => writeFileSync(file, content)
  const replace = (file: string, content: string) => {
    writeFileSync(`${file}.tmp`, content)
    renameSync(`${file}.tmp`, file)
  }
  const makeAgain = (file: string, content: string) => {
    rmSync(file)
    writeFileSync(file, content)
  }
  const swap = (file: string, content: string) => swapperOf(join(file, '..'))(content, content)

  it.each([
    ['edited', edit, false],
    ['replaced', replace, false],
    ['deleted and made again', makeAgain, false],
    ['behind a symbolic link that is swapped', swap, true],
  ])('tells each time that the file is %s', async (_how, change, isLink) => {
    const dir = tempDir()
    const file = join(dir, 'config.yaml')
    if (isLink) {
      swap(file, 'one')
      symlinkSync('..data/config.yaml', file)
    } else edit(file, 'one')
    let told = () => {}
    const { close } = watchConfigFile({
      file,
      signals: new EventEmitter(),
      clock: systemClock,
      onChange: () => told(),
    })
    closers.push(close)
    for (const content of ['two', 'three']) {
      const next = new Promise<void>((resolve) => {
        told = resolve
      })
      change(file, content)
      await next
    }
  })
})

/** Puts a new version of a ConfigMap in place, as the kubelet does. */
function swapperOf(dir: string) {
  return (version: string, content: string) => {
    mkdirSync(join(dir, `..${version}`))
    writeFileSync(join(dir, `..${version}`, 'config.yaml'), content)
    symlinkSync(`..${version}`, join(dir, '..data_tmp'))
    renameSync(join(dir, '..data_tmp'), join(dir, '..data'))
  }
}
