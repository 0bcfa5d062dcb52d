import { afterEach, describe, expect, it } from '@jest/globals'
import { watchOpenFiles } from '../../server/open-files-watch.js'
import { FakeClock } from '../fake-clock.js'
import { silentLogger } from '../plugin/spill/harness.js'

const closers: (() => void)[] = []

afterEach(() => {
  for (const close of closers.splice(0)) close()
})

function watching() {
  const clock = new FakeClock()
  const logger = silentLogger()
  const state: { errno: string | undefined } = { errno: undefined }
  const tryToOpen = () => {
    if (state.errno !== undefined) throw Object.assign(new Error(state.errno), { code: state.errno })
  }
  const { close } = watchOpenFiles({ clock, logger, tryToOpen })
  closers.push(close)
  return { clock, logger, state, close }
}

describe('watchOpenFiles', () => {
  it('says nothing while files can be opened', async () => {
    const { clock, logger } = watching()
    await clock.advance(60_000)
    expect(logger.warn).not.toHaveBeenCalled()
    expect(logger.info).not.toHaveBeenCalled()
  })

  it.each([
    ['EMFILE', /EMFILE.*new connections are cut: raise the limit on open files .*ulimit -n/],
    ['ENFILE', /ENFILE.*the machine has too many open files/],
  ])('says once that none can be opened, what to do, and when they can be again: %s', async (errno, said) => {
    const { clock, logger, state } = watching()
    state.errno = errno
    await clock.advance(60_000)
    expect(logger.warn.mock.calls).toEqual([[expect.stringMatching(said)]])
    state.errno = undefined
    await clock.advance(60_000)
    expect(logger.info.mock.calls).toEqual([['Files and connections can be opened again']])
  })

  it('looks no more once it is closed', async () => {
    const { clock, logger, state, close } = watching()
    close()
    state.errno = 'EMFILE'
    await clock.advance(60_000)
    expect(logger.warn).not.toHaveBeenCalled()
    expect(clock.timers).toBe(0)
  })
})
