import type { IncomingMessage } from 'node:http'
import type { Logger } from '../../plugin/logger.js'

/**
 * Says once that a proxy in front is not believed. TLS ends there as a rule: without its word browsers would be told
 * to send to http://, which pages of https:// refuse.
 */
export class UntrustedProxyNotice {
  readonly #logger: Logger
  #isTold = false

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** A request that is told where to send. */
  note(req: IncomingMessage): void {
    if (this.#isTold || req.headers['x-forwarded-proto'] === undefined) return
    this.#isTold = true
    this.#logger.warn(
      'Requests come through a proxy that is not trusted, so that browsers may be sent to http:// and a wrong host: set publicUrl, or trustProxy',
    )
  }
}
