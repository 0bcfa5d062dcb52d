import type { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type { Clock } from '../../plugin/clock.js'
import type { Logger } from '../../plugin/logger.js'
import { MinuteNotices } from '../minute-notices.js'
import { answerProblem } from './answer.js'
import { answerInAnyCase, closeGently, cut } from './bare-connection.js'
import { BodyCutOff } from './collect.js'
import { drain } from './drain.js'
import { type Answer, type Exchange, setHeaders } from './exchange.js'
import { HttpProblem, internalError, unavailable } from './http-problem.js'
import { answerPixel } from './pixel.js'
import { RefusalNotices } from './refusal-notices.js'
import type { RequestEntry } from './request-entry.js'

/** How long other middleware, such as compression, may take to finish an answer, in ms. */
const UNENDED_MS = 10_000

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
  readonly #cuts: MinuteNotices
  readonly #underWay = new Set<Promise<void>>()
  readonly #counts = { accepted: 0, refused: 0, deferred: 0 }
  readonly #byStatus = new Map<number, number>()
  #isClosing = false

  constructor(options: ResponderOptions) {
    this.#options = options
    this.#refusals = new RefusalNotices(options.logger, options.clock)
    this.#cuts = new MinuteNotices(options.logger, options.clock)
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
    this.#cuts.flush()
  }

  respond(exchange: Exchange): void {
    const work = this.#respond(exchange)
    this.#underWay.add(work)
    void work.finally(() => this.#underWay.delete(work))
  }

  /** Answers a request that a host app has broken so badly that handling it cannot even begin. */
  giveUp(req: IncomingMessage, res: ServerResponse, thrown: unknown): void {
    this.#options.logger.error(`A request failed: ${stackOf(thrown)}`)
    answerInAnyCase(req, res, internalError())
  }

  /** Never rejects: an unhandled rejection ends the process. */
  async #respond(exchange: Exchange): Promise<void> {
    const { clock, logger } = this.#options
    const { req, res } = exchange
    const startedAt = clock.now()
    try {
      const outcome = await this.#answer(exchange)
      if (outcome === 'gone') return
      const { statusCode } = res
      this.#byStatus.set(statusCode, (this.#byStatus.get(statusCode) ?? 0) + 1)
      this.#tell(exchange, outcome?.code, clock.now() - startedAt)
      this.#seeToItsEnd(exchange)
    } catch (thrown) {
      logger.error(`Request ${exchange.id} could not be answered: ${stackOf(thrown)}`)
      answerInAnyCase(req, res, internalError())
    }
  }

  /** Answers the request. Resolves to the problem that it was refused with, if any. */
  async #answer(exchange: Exchange): Promise<HttpProblem | 'gone' | undefined> {
    const { req, res } = exchange
    let hasBegun = false
    try {
      if (res.headersSent) throw new Error('A handler before this one has answered, and yet called the next')
      if (this.#isClosing) throw unavailable('closing', 'This server is shutting down; send this again later')
      const answer = await this.#options.handle(exchange)
      this.#closeConnectionIfClosing(exchange)
      hasBegun = true
      await answer(exchange)
      this.#counts.accepted++
      return undefined
    } catch (thrown) {
      if (thrown instanceof BodyCutOff || (req.destroyed && !req.complete)) return 'gone'
      const problem = thrown instanceof HttpProblem ? thrown : this.#internalError(thrown, exchange)
      await this.#refuse(exchange, problem)
      // Our answer broke off after its headers, so it can be neither finished nor replaced.
      if (hasBegun && !res.writableEnded) cut(req)
      return problem
    }
  }

  async #refuse(exchange: Exchange, problem: HttpProblem): Promise<void> {
    const { req, res, endpoint } = exchange
    this.#count(problem, exchange)
    if (problem.status === 408) return cutOff(exchange)
    this.#closeConnectionIfClosing(exchange)
    // Cut while its sender is still sending, the connection would be lost with the answer in it.
    if (res.shouldKeepAlive === false) await drain(req, this.#options.clock)
    else void drain(req)
    const isPixel = typeof endpoint !== 'string' && endpoint.kind === 'pixel'
    setHeaders(exchange)
    if (isPixel) answerPixel(res, problem.status, problem.headers)
    else answerProblem(res, problem)
  }

  /**
   * Makes sure that the answer is sent. A host app may have replaced `res.end`, or removed the listener by which Node.js
   * learns that an answer is over; the sender, or the next request on its connection, would wait for ever.
   */
  #seeToItsEnd({ req, res, id }: Exchange): void {
    const { clock, logger } = this.#options
    if (res.destroyed) return this.#noteCut(req)
    if (res.writableEnded) {
      // Under HTTP/2 the socket is that of many requests, and Node.js listens to the stream instead.
      const isHeld =
        req.httpVersionMajor === 1 && res.socket instanceof Socket && res.listenerCount('finish') === 0
      if (isHeld) closeGently(req.socket)
      return
    }
    clock.after(UNENDED_MS, () => {
      if (hasEnded(res)) return
      logger.error(
        `Request ${id} was answered, and something before this middleware has kept the answer back`,
      )
      cut(req)
    })
  }

  /** Logs that Node.js has answered a request itself, because it could not read the bytes after it. */
  #noteCut({ socket }: IncomingMessage): void {
    const { code } = Object(socket?.errored) as { code?: unknown }
    if (typeof code !== 'string' || !code.startsWith('HPE_')) return
    this.#cuts.note(
      'not HTTP',
      (count) =>
        `Node.js answered ${count} request(s) with 400 in place of this middleware, because bytes follow them that are no HTTP: call answerBrokenRequests(server)`,
    )
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
    this.#options.logger.error(`Request ${id} failed: ${stackOf(thrown)}`)
    return internalError()
  }

  #tell({ req, res, id, endpoint, seen }: Exchange, code: string | undefined, durationMs: number): void {
    try {
      const told: unknown = this.#options.onRequest?.({
        requestId: id,
        method: req.method ?? '',
        endpoint: typeof endpoint === 'string' ? endpoint : endpoint.kind,
        status: res.statusCode,
        code,
        durationMs: Math.round(durationMs * 100) / 100,
        ...seen,
      })
      // An unhandled rejection would end the process.
      if (told instanceof Promise) told.catch(() => {})
    } catch {
      // A failing listener must not fail the request.
    }
  }
}

function hasEnded(res: ServerResponse): boolean {
  try {
    return res.writableEnded || res.destroyed
  } catch {
    return false
  }
}

function stackOf(thrown: unknown): string {
  try {
    return String(thrown instanceof Error ? thrown.stack : thrown)
  } catch {
    return 'with an error that has no text'
  }
}

/**
 * Closes the connection of a sender that is too slow, without an answer. It is phones that are slow, and their SDKs drop
 * events that are answered 408; events without an answer they send again.
 */
function cutOff({ req, res }: Exchange): void {
  // For the log and the counts.
  res.statusCode = 408
  cut(req)
}
