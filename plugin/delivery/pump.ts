import type { Clock } from '../clock.js'

/** Calls `run`, which sends as much as may go, when there may be something for it to send. */
export class Pump {
  readonly #clock: Pick<Clock, 'after' | 'defer'>
  readonly #run: () => void
  #isDeferred = false
  #cancelWake = () => {}

  constructor(clock: Pick<Clock, 'after' | 'defer'>, run: () => void) {
    this.#clock = clock
    this.#run = run
  }

  /** Runs at the end of this turn, once however often it is asked: what comes together goes together. */
  defer(): void {
    if (this.#isDeferred) return
    this.#isDeferred = true
    this.#clock.defer(() => {
      this.#isDeferred = false
      this.run()
    })
  }

  /** Runs now, and no more at the time set by {@link wakeAfter}: it may be another by then. */
  run(): void {
    this.#cancelWake()
    this.#run()
  }

  /** Runs after `ms`, unless it runs before. */
  wakeAfter(ms: number): void {
    this.#cancelWake = this.#clock.after(ms, () => this.run())
  }

  /** Forgets the time set by {@link wakeAfter}. */
  cancelWake(): void {
    this.#cancelWake()
  }
}
