import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../../plugin/clock.js'
import type { Logger } from '../../plugin/logger.js'
import { answerProblem, answerSuccess } from './answer.js'
import { drain } from './drain.js'
import { HttpProblem, unavailable } from './http-problem.js'
import { RefusalNotices } from './refusal-notices.js'

/** Requests since the start, by answer. */
export interface RequestCounts {
  /** 200. */
  readonly accepted: number
  /** 4xx: for good. */
  readonly refused: number
  /** 5xx: to be sent again. */
  readonly deferred: number
}

/**
 * Gives every request one answer, in JSON: success when `accept` resolves, else what it threw. Knows which requests
 * are under way, and refuses all once it is closing.
 */
export class Responder {
  readonly #accept: (req: IncomingMessage) => Promise<void>
  readonly #logger: Logger
  readonly #refusals: RefusalNotices
  readonly #underWay = new Set<Promise<void>>()
  readonly #counts = { accepted: 0, refused: 0, deferred: 0 }
  #isClosing = false

  constructor(accept: (req: IncomingMessage) => Promise<void>, logger: Logger, clock: Clock) {
    this.#accept = accept
    this.#logger = logger
    this.#refusals = new RefusalNotices(logger, clock)
  }

  get counts(): RequestCounts {
    return { ...this.#counts }
  }

  /** Resolves when the requests that are under way now are answered. */
  get settled(): Promise<unknown> {
    return Promise.all(this.#underWay)
  }

  /** From now on requests are answered 503. */
  refuse(): void {
    this.#isClosing = true
  }

  respond(req: IncomingMessage, res: ServerResponse): void {
    const work = this.#respond(req, res)
    this.#underWay.add(work)
    void work.finally(() => this.#underWay.delete(work))
  }

  async #respond(req: IncomingMessage, res: ServerResponse): Promise<void> {
    try {
      if (this.#isClosing) throw unavailable('closing', 'This server is shutting down; send this again later')
      await this.#accept(req)
      this.#counts.accepted++
      this.#closeConnectionIfClosing(res)
      answerSuccess(res)
    } catch (thrown) {
      const isGone = req.destroyed && !req.complete
      if (isGone) return
      const problem = thrown instanceof HttpProblem ? thrown : this.#internalError(thrown)
      this.#count(problem)
      this.#closeConnectionIfClosing(res)
      const drained = drain(req)
      // Cut while its sender is still sending, the connection would be lost with the answer in it.
      if (!res.shouldKeepAlive) await drained
      answerProblem(res, problem)
    }
  }

  #count(problem: HttpProblem): void {
    if (problem.status >= 500) {
      this.#counts.deferred++
      return
    }
    this.#counts.refused++
    this.#refusals.note(problem)
  }

  /** A sender that keeps its connection would send its next events to a server that is gone. */
  #closeConnectionIfClosing(res: ServerResponse): void {
    if (this.#isClosing) res.shouldKeepAlive = false
  }

  #internalError(thrown: unknown): HttpProblem {
    this.#logger.error(`A request failed: ${thrown instanceof Error ? thrown.stack : String(thrown)}`)
    return new HttpProblem(500, 'internal_error', 'The request failed; send it again later')
  }
}
