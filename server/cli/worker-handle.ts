import type { WorkerMeasures } from '../metrics/measures.js'
import type { ProxyReport } from '../proxy-report.js'
import type { Exit, WorkerEnd } from './worker-end.js'
import type { DuplicateQuestion, FromWorker, ToWorker, WorkerTask } from './worker-messages.js'

/** A process that was forked. */
export interface WorkerProcess {
  readonly pid: number | undefined
  /** What cannot be sent is lost: it has ended, or will. */
  send(message: ToWorker): void
  /** At once. */
  kill(): void
  onMessage(listener: (message: FromWorker) => void): void
  /** Called once. */
  onExit(listener: (how: Exit) => void): void
}

export interface WorkerParts {
  /** Asked for when the worker is ready for it. */
  readonly task: () => WorkerTask
  /** For each question the IDs that are known. Never rejects. */
  readonly answer: (questions: readonly DuplicateQuestion[]) => Promise<(readonly string[])[]>
}

/** One worker, from its start to its end. */
export class WorkerHandle {
  readonly pid: number | undefined
  /** Its URL; never settles where it ends before it listens. */
  readonly listening: Promise<string>
  /** Never rejects. */
  readonly ended: Promise<WorkerEnd>
  readonly #process: WorkerProcess
  readonly #task: WorkerParts['task']
  readonly #answer: WorkerParts['answer']
  #isStarted = false
  #closing: ToWorker | undefined
  #report: ProxyReport | undefined
  #failure: readonly string[] | undefined
  #tellListening: (url: string) => void = () => {}
  #isListening = false
  #measuring: Promise<WorkerMeasures | undefined> | undefined
  #tellMeasures: (measures: WorkerMeasures | undefined) => void = () => {}
  /** Whether it has been sent a configuration, and has not said that it took it up. */
  #isReconfiguring = false
  /** The newest configuration, where it has not been sent. */
  #nextConfig: string | undefined
  /** Those that wait for it to serve the newest configuration. */
  #whenReconfigured: (() => void)[] = []

  constructor(process: WorkerProcess, { task, answer }: WorkerParts) {
    this.#process = process
    this.#task = task
    this.#answer = answer
    this.pid = process.pid
    this.listening = new Promise((resolve) => {
      this.#tellListening = resolve
    })
    this.ended = new Promise((resolve) => {
      process.onExit((how) => {
        this.#tellReconfigured()
        this.#isListening = false
        this.#tellMeasures(undefined)
        resolve({ ...how, report: this.#report, failure: this.#failure })
      })
    })
    process.onMessage((message) => {
      // Any code in a worker can send messages here, a user's `transform` included. None may end the primary process.
      const isMessage = typeof message === 'object' && message !== null
      if (isMessage) this.#take(message)
    })
  }

  /**
   * Resolves when it serves this, or what it was given since, or has ended. It is sent one at a time, and of those that
   * came meanwhile the newest alone, lest they pile up at one that hangs.
   */
  reconfigure(config: string): Promise<void> {
    // One that has not begun begins with what is configured by then.
    if (!this.#isStarted) return Promise.resolve()
    return new Promise((resolve) => {
      this.#whenReconfigured.push(resolve)
      if (this.#isReconfiguring) this.#nextConfig = config
      else this.#sendConfig(config)
    })
  }

  /**
   * Resolves to what it tells of itself: to nothing where it does not listen, or ends before. While one question is
   * open no other is asked, lest they pile up at one that hangs.
   */
  measure(): Promise<WorkerMeasures | undefined> {
    if (!this.#isListening) return Promise.resolve(undefined)
    this.#measuring ??= new Promise((resolve) => {
      this.#tellMeasures = resolve
      this.#process.send({ kind: 'measure' })
    })
    return this.#measuring
  }

  close(timeoutMs: number): void {
    this.#closing = { kind: 'close', timeoutMs }
    this.#process.send(this.#closing)
  }

  kill(): void {
    this.#process.kill()
  }

  #take(message: FromWorker): void {
    if (message.kind === 'ready') this.#start()
    else if (message.kind === 'listening') this.#onListening(message.url)
    else if (message.kind === 'duplicates') void this.#answerTo(message.number, message.questions)
    else if (message.kind === 'reconfigured') this.#onReconfigured()
    else if (message.kind === 'measured') this.#onMeasured(message.measures)
    else if (message.kind === 'closed') this.#report = message.report
    else if (message.kind === 'failed') this.#failure = message.lines
  }

  #onListening(url: string): void {
    this.#isListening = true
    this.#tellListening(url)
  }

  #onReconfigured(): void {
    this.#isReconfiguring = false
    if (this.#nextConfig === undefined) this.#tellReconfigured()
    else this.#sendConfig(this.#nextConfig)
  }

  #sendConfig(config: string): void {
    this.#nextConfig = undefined
    this.#isReconfiguring = true
    this.#process.send({ kind: 'reconfigure', config })
  }

  #tellReconfigured(): void {
    for (const done of this.#whenReconfigured.splice(0)) done()
  }

  #onMeasured(measures: WorkerMeasures | undefined): void {
    this.#measuring = undefined
    this.#tellMeasures(measures)
  }

  async #answerTo(number: number, questions: readonly DuplicateQuestion[]): Promise<void> {
    try {
      const known = await this.#answer(questions)
      this.#process.send({ kind: 'duplicates', number, known })
    } catch {
      // The question was malformed, so the worker gets no answer and treats it as overdue.
    }
  }

  #start(): void {
    if (this.#closing !== undefined) return this.#process.send(this.#closing)
    this.#isStarted = true
    this.#process.send({ kind: 'start', task: this.#task() })
  }
}
