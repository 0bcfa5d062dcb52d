import type { Clock } from '../../plugin/clock.js'
import type { Logger } from '../../plugin/logger.js'
import { answerProblem } from './answer.js'
import { drain } from './drain.js'
import { type Answer, type Exchange, setHeaders } from './exchange.js'
import { HttpProblem, internalError, unavailable } from './http-problem.js'
import { answerPixel } from './pixel.js'
import { RefusalNotices } from './refusal-notices.js'
import type { RequestEntry } from './request-entry.js'

/** Requests since the start, by answer. */
export interface RequestCounts {
  /** 2xx and 304. */
  readonly accepted: number
  /** 4xx: for good, but for 408 and 429. */
  readonly refused: number
  /** 408, 429 and 5xx: to be sent again. */
  readonly deferred: number
}

export interface ResponderOptions {
  /** Does what the request asks for. @throws HttpProblem */
  readonly handle: (exchange: Exchange) => Promise<Answer>
  /** Told of each request when it is answered. */
  readonly onRequest: ((entry: RequestEntry) => void) | undefined
  readonly logger: Logger
  readonly clock: Clock
}

/**
 * Gives every request one answer: that of what `handle` did, or the problem that it threw. Knows which requests are
 * under way, and refuses all once it is closing.
 */
export class Responder {
  readonly #options: ResponderOptions
  readonly #refusals: RefusalNotices
  readonly #underWay = new Set<Promise<void>>()
  readonly #counts = { accepted: 0, refused: 0, deferred: 0 }
  readonly #byStatus = new Map<number, number>()
  #isClosing = false

  constructor(options: ResponderOptions) {
    this.#options = options
    this.#refusals = new RefusalNotices(options.logger, options.clock)
  }

  get counts(): RequestCounts {
    return { ...this.#counts }
  }

  /** Requests answered since the start, by status. */
  get countsByStatus(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#byStatus)
  }

  get isClosing(): boolean {
    return this.#isClosing
  }

  /** Resolves when the requests that are under way now are answered. */
  get settled(): Promise<unknown> {
    return Promise.all(this.#underWay)
  }

  /** From now on requests are answered 503. */
  refuse(): void {
    this.#isClosing = true
    this.#refusals.flush()
  }

  respond(exchange: Exchange): void {
    const work = this.#respond(exchange)
    this.#underWay.add(work)
    void work.finally(() => this.#underWay.delete(work))
  }

  async #respond(exchange: Exchange): Promise<void> {
    const { clock } = this.#options
    const startedAt = clock.now()
    let problem: HttpProblem | undefined
    try {
      if (exchange.res.headersSent)
        throw new Error('A handler before this one has answered, and yet called the next')
      await this.#answer(exchange)
    } catch (thrown) {
      const isGone = exchange.req.destroyed && !exchange.req.complete
      if (isGone) return
      problem = thrown instanceof HttpProblem ? thrown : this.#internalError(thrown, exchange)
      await this.#refuse(exchange, problem)
    }
    const { statusCode } = exchange.res
    this.#byStatus.set(statusCode, (this.#byStatus.get(statusCode) ?? 0) + 1)
    this.#tell(exchange, problem?.code, clock.now() - startedAt)
  }

  async #answer(exchange: Exchange): Promise<void> {
    if (this.#isClosing) throw unavailable('closing', 'This server is shutting down; send this again later')
    const answer = await this.#options.handle(exchange)
    this.#closeConnectionIfClosing(exchange)
    await answer(exchange)
    this.#counts.accepted++
  }

  async #refuse(exchange: Exchange, problem: HttpProblem): Promise<void> {
    const { req, res, endpoint } = exchange
    this.#count(problem, exchange)
    if (problem.status === 408) return cutOff(exchange)
    this.#closeConnectionIfClosing(exchange)
    const drained = drain(req)
    // Cut while its sender is still sending, the connection would be lost with the answer in it.
    if (!res.shouldKeepAlive) await drained
    const isPixel = typeof endpoint !== 'string' && endpoint.kind === 'pixel'
    setHeaders(exchange)
    if (isPixel) answerPixel(res, problem.status, problem.headers)
    else answerProblem(res, problem)
  }

  #count(problem: HttpProblem, { seen }: Exchange): void {
    if (problem.isForNow) this.#counts.deferred++
    else this.#counts.refused++
    this.#refusals.note(problem, problem.source ?? seen.source)
  }

  /** A sender that keeps its connection would send its next events to a server that is gone. */
  #closeConnectionIfClosing({ res }: Exchange): void {
    if (this.#isClosing) res.shouldKeepAlive = false
  }

  #internalError(thrown: unknown, { id }: Exchange): HttpProblem {
    const what = thrown instanceof Error ? thrown.stack : String(thrown)
    this.#options.logger.error(`Request ${id} failed: ${what}`)
    return internalError()
  }

  #tell({ req, res, id, endpoint, seen }: Exchange, code: string | undefined, durationMs: number): void {
    try {
      this.#options.onRequest?.({
        requestId: id,
        method: req.method ?? '',
        endpoint: typeof endpoint === 'string' ? endpoint : endpoint.kind,
        status: res.statusCode,
        code,
        durationMs: Math.round(durationMs * 100) / 100,
        ...seen,
      })
    } catch {
      // As with the logger: who listens must not stop what is told.
    }
  }
}

/**
 * Closes the connection of a sender that is too slow, without an answer. It is phones that are slow, and their SDKs drop
 * events that are answered 408; events without an answer they send again.
 */
function cutOff({ req, res }: Exchange): void {
  // For the log and the counts.
  res.statusCode = 408
  req.destroy()
  // HTTP/2 needs this: there, destroying the request does not end its stream.
  res.destroy()
}
