import { join } from 'node:path'
import type { Clock } from '../clock.js'
import { errnoOf } from './disk-error.js'
import { removeIfPossible, type SpillFileSystem, writeSynced } from './file-system.js'

/** How long an instance shows no sign of life before what it holds is taken over: six heartbeats. */
export const DEAD_AFTER_MS = 30_000

/** Within the spill's directory: a file for each instance. */
export const INSTANCES_FOLDER = '.instances'

/** Of the dead, so many are remembered. */
const MAX_BURIED = 1_000

/** When an instance was last seen to be alive. */
interface Sighting {
  readonly mtimeMs: number
  /** By this process's `now()`. */
  readonly unchangedSince: number
}

/**
 * The processes that use a directory: each has a file `.instances/<id>` whose time it sets every few seconds.
 *
 * A heartbeat and not a process ID: those are used again, and containers that share a volume each have their own
 * process 1. Others' heartbeats are watched by how long they stand still on this process's own clock, so that hosts
 * whose clocks differ, or a clock that is set, do not make the living look dead; only at first sight their date
 * counts, so that a new process need not wait for what died long ago. Where the living are taken for dead all the
 * same (a process that was stopped and goes on), records are delivered twice, and none is lost.
 */
export class Instances {
  readonly directory: string
  readonly id: string
  readonly #fs: SpillFileSystem
  readonly #clock: Clock
  #sightings = new Map<string, Sighting>()
  /** Taken for dead. Who shows up again lives, and has a clock that is not to be gone by. */
  readonly #buried = new Set<string>()

  constructor(spillDirectory: string, id: string, fs: SpillFileSystem, clock: Clock) {
    this.directory = join(spillDirectory, INSTANCES_FOLDER)
    this.id = id
    this.#fs = fs
    this.#clock = clock
  }

  /** Says that this process lives. Comes before it claims or writes anything. */
  async beat(): Promise<void> {
    const path = join(this.directory, this.id)
    try {
      await this.#fs.touch(path, this.#clock.wallTime())
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error
      // The first time, or others took this process for dead.
      await writeSynced(this.#fs, path, new Uint8Array())
      await this.#fs.touch(path, this.#clock.wallTime())
    }
  }

  /** Looks who lives, and forgets who does not. */
  async look(): Promise<void> {
    const sightings = new Map<string, Sighting>()
    for (const id of await this.#list()) {
      if (id === this.id) continue
      const sighting = await this.#see(id)
      if (sighting === undefined) continue
      if (this.#clock.now() - sighting.unchangedSince < DEAD_AFTER_MS) sightings.set(id, sighting)
      else await this.#bury(id)
    }
    this.#sightings = sightings
  }

  /** Whether it is another process, and lived at the last `look`. */
  isOtherAlive(id: string): boolean {
    return this.#sightings.has(id)
  }

  async leave(): Promise<void> {
    await removeIfPossible(this.#fs, join(this.directory, this.id))
  }

  async #bury(id: string): Promise<void> {
    await removeIfPossible(this.#fs, join(this.directory, id))
    this.#buried.add(id)
    const [oldest] = this.#buried
    if (oldest !== undefined && this.#buried.size > MAX_BURIED) this.#buried.delete(oldest)
  }

  async #list(): Promise<readonly string[]> {
    try {
      return await this.#fs.list(this.directory)
    } catch (error) {
      // A disk that was full from the start has no room for it.
      if (errnoOf(error) === 'ENOENT') return []
      throw error
    }
  }

  async #see(id: string): Promise<Sighting | undefined> {
    try {
      const { mtimeMs } = await this.#fs.stat(join(this.directory, id))
      const known = this.#sightings.get(id)
      if (known?.mtimeMs === mtimeMs) return known
      const age = known || this.#buried.delete(id) ? 0 : Math.max(0, this.#clock.wallTime() - mtimeMs)
      return { mtimeMs, unchangedSince: this.#clock.now() - age }
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined
      throw error
    }
  }
}
