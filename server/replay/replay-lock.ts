import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { Clock } from '../../plugin/clock.js'
import { errnoOf } from '../../plugin/spill/disk-error.js'
import {
  nodeFileSystem,
  removeIfPossible,
  type SpillFileSystem,
  writeSynced,
} from '../../plugin/spill/file-system.js'
import { cannotBeWritten } from './progress-file.js'

const BEAT_MS = 5_000
/** Six heartbeats without a sign of life. */
const DEAD_AFTER_MS = 30_000

/** Who holds a lock. */
interface Holder {
  readonly host: string
  readonly pid: number
}

/** A lock as it was seen. */
interface Seen {
  readonly text: string
  /** Its last heartbeat. */
  readonly mtimeMs: number
}

/**
 * Keeps a second replay off the progress of one that is at work: they would send everything twice. Where one was
 * killed, the next takes over: at once on the same machine, elsewhere after half a minute without a heartbeat.
 */
export class ReplayLock {
  readonly path: string
  readonly #clock: Clock
  readonly #fs: SpillFileSystem
  /** Like that of no other lock. */
  readonly #text: string
  #cancelBeat = () => {}

  private constructor(path: string, clock: Clock, fs: SpillFileSystem) {
    const holder: Holder = { host: hostname(), pid: process.pid }
    this.path = path
    this.#clock = clock
    this.#fs = fs
    this.#text = `${JSON.stringify({ ...holder, id: randomUUID() })}\n`
  }

  /** @throws Error while another is at work, or where the lock cannot be written; it tells the fix */
  static async take(path: string, clock: Clock, fs: SpillFileSystem = nodeFileSystem): Promise<ReplayLock> {
    const lock = new ReplayLock(path, clock, fs)
    let isTaken: boolean
    try {
      isTaken = (await lock.#make(path)) || ((await lock.#removeStale()) && (await lock.#make(path)))
    } catch (error) {
      throw cannotBeWritten(path, error)
    }
    if (!isTaken) throw new ReplayRunningError(path)
    lock.#beat()
    return lock
  }

  async release(): Promise<void> {
    this.#cancelBeat()
    // Taken for dead, as one that slept, it is another's by now.
    const seen = await this.#look().catch(() => undefined)
    if (seen?.text === this.#text) await removeIfPossible(this.#fs, this.path)
  }

  /** `false` where the file is there already, whoever has made it. */
  async #make(path: string): Promise<boolean> {
    try {
      await writeSynced(this.#fs, path, Buffer.from(this.#text))
      return true
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') return false
      throw error
    }
  }

  /**
   * Whether the way is free. Others may see the same stale lock, and one of them may have put its own in its place: only
   * who makes the file that is named for what was seen removes the lock, and only if it is still that.
   */
  async #removeStale(): Promise<boolean> {
    const seen = await this.#look()
    if (seen === undefined) return true
    if (isHeld(seen, this.#clock)) return false
    const permit = `${this.path}.${seen.mtimeMs}`
    if (!(await this.#make(permit))) return false
    try {
      const now = await this.#look()
      const isSame = now?.text === seen.text && now.mtimeMs === seen.mtimeMs
      if (isSame) await this.#fs.remove(this.path)
      return isSame
    } finally {
      await removeIfPossible(this.#fs, permit)
    }
  }

  async #look(): Promise<Seen | undefined> {
    try {
      const { mtimeMs } = await this.#fs.stat(this.path)
      return { mtimeMs, text: Buffer.from(await this.#fs.read(this.path)).toString('utf8') }
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined
      throw error
    }
  }

  #beat(): void {
    this.#cancelBeat = this.#clock.after(BEAT_MS, () => {
      // Without it the lock lapses, which costs duplicates at worst.
      this.#fs.touch(this.path, this.#clock.wallTime()).catch(() => {})
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

function isHeld({ text, mtimeMs }: Seen, clock: Clock): boolean {
  if (clock.wallTime() - mtimeMs > DEAD_AFTER_MS) return false
  try {
    return !isDead(JSON.parse(text))
  } catch {
    // One that is no JSON is being written.
    return true
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
