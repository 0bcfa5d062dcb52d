import { readFile, stat, utimes } from 'node:fs/promises'
import { hostname } from 'node:os'
import type { Clock } from '../../plugin/clock.js'
import { errnoOf, nodeFileSystem, removeIfPossible, writeSynced } from '../../plugin/spill/file-system.js'
import { cannotBeWritten } from './progress-file.js'

const BEAT_MS = 5_000
/** Six heartbeats without a sign of life. */
const DEAD_AFTER_MS = 30_000

/** Who holds a lock. */
interface Holder {
  readonly host: string
  readonly pid: number
}

/**
 * Keeps a second replay off the progress of one that is at work: they would send everything twice. Where one was
 * killed, the next takes over: at once on the same machine, elsewhere after half a minute without a heartbeat.
 */
export class ReplayLock {
  readonly path: string
  readonly #clock: Clock
  #cancelBeat = () => {}

  private constructor(path: string, clock: Clock) {
    this.path = path
    this.#clock = clock
  }

  /** @throws Error while another is at work, or where the lock cannot be written; it tells the fix */
  static async take(path: string, clock: Clock): Promise<ReplayLock> {
    if (await isHeld(path, clock)) throw new ReplayRunningError(path)
    await removeIfPossible(nodeFileSystem, path)
    try {
      const holder: Holder = { host: hostname(), pid: process.pid }
      await writeSynced(nodeFileSystem, path, Buffer.from(`${JSON.stringify(holder)}\n`))
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') throw new ReplayRunningError(path)
      throw cannotBeWritten(path, error)
    }
    const lock = new ReplayLock(path, clock)
    lock.#beat()
    return lock
  }

  async release(): Promise<void> {
    this.#cancelBeat()
    await removeIfPossible(nodeFileSystem, this.path)
  }

  #beat(): void {
    this.#cancelBeat = this.#clock.after(BEAT_MS, () => {
      const seconds = this.#clock.wallTime() / 1000
      // Without it the lock lapses, which costs duplicates at worst.
      utimes(this.path, seconds, seconds).catch(() => {})
      this.#beat()
    })
  }
}

/** The same replay is under way. */
class ReplayRunningError extends Error {
  constructor(path: string) {
    super(
      `the same replay is under way already; wait for it, or stop it. If none is, this lapses within ${DEAD_AFTER_MS / 1000} s, or remove ${path}`,
    )
    this.name = 'ReplayRunningError'
  }
}

async function isHeld(path: string, clock: Clock): Promise<boolean> {
  try {
    const { mtimeMs } = await stat(path)
    if (clock.wallTime() - mtimeMs > DEAD_AFTER_MS) return false
    return !isDead(JSON.parse(await readFile(path, 'utf8')))
  } catch (error) {
    // One that is no JSON is being written.
    return errnoOf(error) === undefined
  }
}

/** Known only of a process of this machine; one of our own number was there before us. */
function isDead({ host, pid }: Holder): boolean {
  if (host !== hostname()) return false
  if (pid === process.pid) return true
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return errnoOf(error) === 'ESRCH'
  }
}
