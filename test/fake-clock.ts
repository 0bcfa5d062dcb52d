import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import type { Clock } from '../plugin/clock.js'

/** 2026-01-01T00:00:00Z */
const WALL_TIME_AT_START = Date.UTC(2026, 0, 1)
/** Turns of the event loop given to promises between two steps; each lets a whole chain of `await`s run. */
const TURNS_TO_SETTLE = 2

export interface FakeClockOptions {
  /** Wall time at the start, in ms since 1970. @default 2026-01-01T00:00:00Z */
  readonly wallTime?: number
  /** Seed of `random()`: the same seed gives the same numbers. @default 1 */
  readonly seed?: number
}

interface Timer {
  readonly at: number
  readonly order: number
  readonly callback: () => void
}

/**
 * A clock that stands still until it is told to advance.
 *
 * `advance` runs what falls due in order of time, then of making, and lets promises settle and deferred callbacks
 * run before, between and after. Only promises settle so: what waits for a socket or the disk does not.
 */
export class FakeClock implements Clock {
  readonly #timers = new Set<Timer>()
  readonly #deferred: (() => void)[] = []
  readonly #chosen: number[] = []
  #now = 0
  #wallOffset: number
  #seed: number
  #made = 0
  #holds = 0

  constructor({ wallTime = WALL_TIME_AT_START, seed = 1 }: FakeClockOptions = {}) {
    this.#wallOffset = wallTime
    this.#seed = seed
  }

  now(): number {
    return this.#now
  }

  wallTime(): number {
    return this.#wallOffset + this.#now
  }

  random(): number {
    return this.#chosen.shift() ?? this.#draw()
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + Math.max(0, ms), order: this.#made++, callback }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  defer(callback: () => void): void {
    this.#deferred.push(callback)
  }

  hold(): () => void {
    this.#holds++
    let held = true
    return () => {
      if (held) this.#holds--
      held = false
    }
  }

  /** How many `hold()`s have not been let go of. */
  get holds(): number {
    return this.#holds
  }

  /** How many timers wait. */
  get timers(): number {
    return this.#timers.size
  }

  /** In how many ms the next timer falls due. */
  get nextTimerIn(): number | undefined {
    const next = this.#next()
    return next && next.at - this.#now
  }

  /** Sets the wall time alone, as an administrator or NTP does; timers and `now()` do not notice. */
  setWallTime(ms: number): void {
    this.#wallOffset = ms - this.#now
  }

  /** What `random()` gives next, before it goes on with the seed. */
  willDraw(...values: number[]): void {
    this.#chosen.push(...values)
  }

  /** Moves time on by `ms`, running every timer that falls due. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    await this.settle()
    for (let timer = this.#next(); timer !== undefined && timer.at <= end; timer = this.#next()) {
      this.#timers.delete(timer)
      this.#now = timer.at
      timer.callback()
      await this.settle()
    }
    this.#now = end
  }

  /** Lets promises settle and runs deferred callbacks, until there are none; time stands still. */
  async settle(): Promise<void> {
    do {
      for (const callback of this.#deferred.splice(0)) callback()
      for (let turn = 0; turn < TURNS_TO_SETTLE; turn++) await turnOfTheLoop()
    } while (this.#deferred.length > 0)
  }

  #next(): Timer | undefined {
    let next: Timer | undefined
    for (const timer of this.#timers) {
      if (next === undefined || timer.at < next.at || (timer.at === next.at && timer.order < next.order))
        next = timer
    }
    return next
  }

  /** Mulberry32. Source: https://gist.github.com/tommyettinger/46a874533244883189143505d203312c */
  #draw(): number {
    this.#seed = (this.#seed + 0x6d2b79f5) | 0
    let t = Math.imul(this.#seed ^ (this.#seed >>> 15), 1 | this.#seed)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}
