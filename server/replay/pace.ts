import type { Clock } from '../../plugin/clock.js'

export interface PaceOptions {
  /** Events a second at most. @default no limit */
  readonly rate?: number | undefined
  readonly signal: AbortSignal
  readonly clock: Clock
}

/** Holds groups of events back, each until those before it have had their time. */
export class Pace {
  readonly #options: PaceOptions
  #nextAt = Number.NEGATIVE_INFINITY

  constructor(options: PaceOptions) {
    this.#options = options
  }

  /** Waits until so many more events may go; `false` where it is interrupted before. */
  async isTurn(events: number): Promise<boolean> {
    const { rate, clock, signal } = this.#options
    if (rate !== undefined) {
      await this.#wait(this.#nextAt - clock.now())
      this.#nextAt = clock.now() + (events * 1000) / rate
    }
    return !signal.aborted
  }

  async #wait(ms: number): Promise<void> {
    const { clock, signal } = this.#options
    if (ms <= 0 || signal.aborted) return
    await new Promise<void>((resolve) => {
      const stop = () => {
        cancel()
        resolve()
      }
      const cancel = clock.after(ms, () => {
        signal.removeEventListener('abort', stop)
        resolve()
      })
      signal.addEventListener('abort', stop, { once: true })
    })
  }
}
