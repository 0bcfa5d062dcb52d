import type { Clock } from '../../plugin/clock.js'
import type { Logger } from '../../plugin/logger.js'
import { MinuteNotices } from '../minute-notices.js'

/** What the log is told of one source's forwarding. SECURITY: causes are of our own words, none of a request. */
export class ForwardNotices {
  readonly #name: string
  readonly #notices: MinuteNotices

  /** @param name - the source's */
  constructor(name: string, logger: Logger, clock: Clock) {
    this.#name = name
    this.#notices = new MinuteNotices(logger, clock)
  }

  dropped(requests: number, why: string): void {
    const wording = (count: number) => `Forwarding for ${this.#name}: dropped ${count} request(s), ${why}`
    this.#notices.note(`dropped ${why}`, wording, requests)
  }

  /** A try failed, and is repeated. */
  failed(cause: string): void {
    const wording = (count: number) =>
      `Forwarding for ${this.#name}: ${count} request(s) failed for now and will be sent again (${cause})`
    this.#notices.note(`failed ${cause}`, wording)
  }

  /** Tells what is still untold. */
  flush(): void {
    this.#notices.flush()
  }
}
