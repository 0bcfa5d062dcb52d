import type { Clock } from '../../plugin/clock.js'
import type { Logger } from '../../plugin/logger.js'
import type { ServeMeasures } from '../metrics/measures.js'
import { joinedReport, type ProxyReport } from '../proxy-report.js'
import { askWorkers } from './ask-workers.js'
import { CommandError } from './command-error.js'
import { reconfigureWorkers } from './reconfigure-workers.js'
import { RestartPolicy } from './restart-policy.js'
import { howEnded, type WorkerEnd } from './worker-end.js'
import { WorkerHandle, type WorkerParts, type WorkerProcess } from './worker-handle.js'
import type { WorkerTask } from './worker-messages.js'

/** What a worker gets beyond the time it has for closing, before it is killed. */
const LATE_MS = 1_000

export interface WorkerGroupOptions {
  readonly count: number
  readonly fork: () => WorkerProcess
  /** What they serve, but for what is each one's own. */
  readonly task: Omit<WorkerTask, 'workers'>
  /** Of {@link WorkerHandle}. */
  readonly answer: WorkerParts['answer']
  readonly clock: Pick<Clock, 'now' | 'after' | 'hold'>
  readonly logger: Logger
}

/** A place among the workers, held by one after the other. */
interface Place {
  readonly policy: RestartPolicy
  handle: WorkerHandle | undefined
  isListening: boolean
  /** Cancels the start of the next. */
  cancel: () => void
}

/**
 * The workers that share a port. One that ends is replaced, after a pause that grows where they end as soon as they
 * began, until that is given up.
 */
export class WorkerGroup {
  /** Resolves to why, where one that has ended cannot be replaced, after the start. */
  readonly failed: Promise<Error>
  readonly #options: WorkerGroupOptions
  readonly #places: readonly Place[]
  readonly #reports: ProxyReport[] = []
  #config: string | undefined
  #url: string | undefined
  #restarts = 0
  /** Whether no more are started. */
  #isOver = false
  #closing: Promise<ProxyReport> | undefined
  #settleStart: { resolve(url: string): void; reject(error: Error): void } | undefined
  #fail: (error: Error) => void = () => {}
  /** With no worker there is nothing else that keeps the process alive. */
  readonly #letGo: () => void

  constructor(options: WorkerGroupOptions) {
    this.#options = options
    this.#config = options.task.config
    this.failed = new Promise((resolve) => {
      this.#fail = resolve
    })
    this.#letGo = options.clock.hold()
    this.#places = Array.from({ length: options.count }, () => ({
      policy: new RestartPolicy(),
      handle: undefined,
      isListening: false,
      cancel: () => {},
    }))
  }

  /**
   * Resolves to their URL when all listen.
   *
   * @throws CommandError with why one cannot; then none is left
   */
  async start(): Promise<string> {
    const started = new Promise<string>((resolve, reject) => {
      this.#settleStart = { resolve, reject }
    })
    for (const place of this.#places) this.#launch(place)
    try {
      this.#url = await started
      return this.#url
    } catch (error) {
      await this.#end((handle) => handle.kill())
      throw error
    } finally {
      this.#settleStart = undefined
    }
  }

  /**
   * Resolves when all serve this, those to come included. One that hangs is told of and not waited for: it takes up the
   * newest when it goes on.
   */
  async reconfigure(config: string): Promise<void> {
    this.#config = config
    const handles = this.#places.map(({ handle }) => handle)
    await reconfigureWorkers(handles, config, this.#options)
  }

  /** What all tell of themselves. One that hangs, or is not there, holds up nobody. */
  async measure(): Promise<Omit<ServeMeasures, 'primary'>> {
    const handles = this.#places.map(({ handle }) => handle)
    const workers = await askWorkers(handles, this.#options.clock)
    return { workers, restarts: this.#restarts }
  }

  /**
   * Closes all, and resolves to what all have delivered. `timeout` in ms.
   *
   * @throws Error where one has not closed in order
   */
  close({ timeout }: { readonly timeout: number }): Promise<ProxyReport> {
    this.#closing ??= this.#close(timeout)
    return this.#closing
  }

  async #close(timeout: number): Promise<ProxyReport> {
    const cancelKill = this.#options.clock.after(timeout + LATE_MS, () =>
      this.#each((handle) => handle.kill()),
    )
    const ends = await this.#end((handle) => handle.close(timeout))
    cancelKill()
    const broken = ends.filter(({ report }) => report === undefined)
    for (const { report } of ends) if (report !== undefined) this.#reports.push(report)
    const [first] = broken
    if (first === undefined) return joinedReport(this.#reports)
    const others = broken.length > 1 ? `, and ${broken.length - 1} more` : ''
    throw new Error(`A worker ${howEnded(first)} before it had closed${others}`)
  }

  /** Ends all and starts no more. */
  async #end(how: (handle: WorkerHandle) => void): Promise<readonly WorkerEnd[]> {
    this.#isOver = true
    for (const { cancel } of this.#places) cancel()
    this.#each(how)
    const ends = await Promise.all(this.#places.flatMap(({ handle }) => handle?.ended ?? []))
    this.#letGo()
    return ends
  }

  #each(act: (handle: WorkerHandle) => void): void {
    for (const { handle } of this.#places) if (handle !== undefined) act(handle)
  }

  #launch(place: Place): void {
    const { task, answer, clock, count } = this.#options
    const startedAt = clock.now()
    const handle = new WorkerHandle(this.#fork(), {
      task: () => ({ ...task, workers: count, config: this.#config }),
      answer,
    })
    place.handle = handle
    void handle.listening.then((url) => this.#onListening(place, url))
    void handle.ended.then((end) => this.#onEnd(place, { handle, end, livedMs: clock.now() - startedAt }))
  }

  #fork(): WorkerProcess {
    try {
      return this.#options.fork()
    } catch (error) {
      // The system is out of memory or processes. Try again later, as with a process that ends at once.
      this.#options.logger.error(`A worker process cannot be started: ${(error as Error).message}`)
      return NEVER_STARTED
    }
  }

  #onListening(place: Place, url: string): void {
    place.isListening = true
    if (this.#places.every(({ isListening }) => isListening)) this.#settleStart?.resolve(url)
    // With port 0 and none left meanwhile, the system has given out another.
    if (this.#url !== undefined && url !== this.#url) this.#options.logger.warn(`Now listening on ${url}`)
    if (this.#url !== undefined) this.#url = url
  }

  #onEnd(place: Place, { handle, end, livedMs }: Ended): void {
    place.isListening = false
    if (this.#isOver) return
    place.handle = undefined
    const { logger, clock } = this.#options
    if (end.report !== undefined) this.#reports.push(end.report)
    if (this.#settleStart !== undefined && end.failure !== undefined) {
      return this.#settleStart.reject(new CommandError(end.failure))
    }
    for (const line of end.failure ?? []) logger.error(line)
    // One that closed in order was asked to, by someone: there is nothing wrong with it.
    const isBroken = end.report === undefined
    const waitMs = isBroken ? place.policy.waitAfter(livedMs) : 0
    const what = `Worker process ${handle.pid} ${howEnded(end)}`
    if (waitMs === undefined) return this.#giveUp(what)
    const next = `another takes its place${waitMs > 0 ? ` in ${waitMs} ms` : ''}`
    if (isBroken) logger.error(`${what}; ${next}; the sums at the end leave out what it had delivered`)
    else logger.warn(`${what}; ${next}`)
    place.cancel = clock.after(waitMs, () => {
      this.#restarts++
      this.#launch(place)
    })
  }

  #giveUp(what: string): void {
    this.#isOver = true
    const error = new CommandError([`${what}, as those before it soon after their start; it is given up`])
    if (this.#settleStart === undefined) this.#fail(error)
    else this.#settleStart.reject(error)
  }
}

const NEVER_STARTED: WorkerProcess = {
  pid: undefined,
  send() {},
  kill() {},
  onMessage() {},
  onExit: (listener) => process.nextTick(listener, { code: null, signal: null }),
}

interface Ended {
  readonly handle: WorkerHandle
  readonly end: WorkerEnd
  readonly livedMs: number
}
