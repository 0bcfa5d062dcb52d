import type { Clock } from '../clock.js'
import type { Logger } from '../logger.js'

/** What comes and goes with each append must not fill the log. */
const MIN_INTERVAL_MS = 10_000

/**
 * Logs when something gets into trouble, when the cause of the trouble changes, and when it is over: not each time that
 * it shows. It keeps its own account of what it logged, as the state that other parts keep of the same trouble often
 * changes before they come here.
 */
export class TroubleLog {
  readonly #logger: Logger
  readonly #clock: Pick<Clock, 'now'>
  /** When each cause was last logged. */
  readonly #loggedAt = new Map<string, number>()
  /** The cause that was logged and is not over. */
  #current: string | undefined

  constructor(logger: Logger, clock: Pick<Clock, 'now'>) {
    this.#logger = logger
    this.#clock = clock
  }

  /** @param cause - one of few, such as an errno */
  note(cause: string, message: string): void {
    if (cause === this.#current) return
    const now = this.#clock.now()
    const loggedAt = this.#loggedAt.get(cause) ?? Number.NEGATIVE_INFINITY
    if (now - loggedAt < MIN_INTERVAL_MS) return
    this.#current = cause
    this.#loggedAt.set(cause, now)
    this.#logger.warn(message)
  }

  /** @param message - logged only if the trouble was. @default nothing */
  over(message?: string): void {
    if (this.#current === undefined) return
    this.#current = undefined
    if (message !== undefined) this.#logger.info(message)
  }
}
