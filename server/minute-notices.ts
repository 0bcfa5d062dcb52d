import type { Clock } from '../plugin/clock.js'
import type { Logger } from '../plugin/logger.js'

const INTERVAL_MS = 60_000

interface Cause {
  untold: number
  wording: (count: number) => string
  cancel: () => void
}

/**
 * Warnings of what can happen a thousand times a second: told at once, and then once a minute for each cause, with how
 * often it happened since. Causes must be few. Nothing is left untold: a minute's rest is told at its end.
 */
export class MinuteNotices {
  readonly #logger: Logger
  readonly #clock: Clock
  readonly #causes = new Map<string, Cause>()

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger
    this.#clock = clock
  }

  note(name: string, wording: (count: number) => string, count = 1): void {
    const cause = this.#causes.get(name)
    if (cause !== undefined) {
      cause.untold += count
      cause.wording = wording
    } else {
      this.#tell(name, { untold: count, wording, cancel: () => {} })
    }
  }

  /** Tells what is still untold, now. */
  flush(): void {
    for (const cause of this.#causes.values()) {
      cause.cancel()
      if (cause.untold > 0) this.#logger.warn(cause.wording(cause.untold))
    }
    this.#causes.clear()
  }

  #tell(name: string, cause: Cause): void {
    this.#logger.warn(cause.wording(cause.untold))
    cause.untold = 0
    this.#causes.set(name, cause)
    cause.cancel = this.#clock.after(INTERVAL_MS, () => {
      if (cause.untold > 0) this.#tell(name, cause)
      else this.#causes.delete(name)
    })
  }
}
