import type { WorkerMeasures } from '../metrics/measures.js'
import type { ProxyReport } from '../proxy.js'
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
  /** Those that wait for it to have taken up a configuration. */
  #reconfiguring: (() => void)[] = []

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
        for (const done of this.#reconfiguring.splice(0)) done()
        this.#isListening = false
        this.#tellMeasures(undefined)
        resolve({ ...how, report: this.#report, failure: this.#failure })
      })
    })
    process.onMessage((message) => this.#take(message))
  }

  /** Resolves when it serves this, or has ended. */
  reconfigure(config: string): Promise<void> {
    // One that has not begun begins with what is configured by then.
    if (!this.#isStarted) return Promise.resolve()
    return new Promise((resolve) => {
      this.#reconfiguring.push(resolve)
      this.#process.send({ kind: 'reconfigure', config })
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
    else if (message.kind === 'reconfigured') this.#reconfiguring.shift()?.()
    else if (message.kind === 'measured') this.#onMeasured(message.measures)
    else if (message.kind === 'closed') this.#report = message.report
    else if (message.kind === 'failed') this.#failure = message.lines
  }

  #onListening(url: string): void {
    this.#isListening = true
    this.#tellListening(url)
  }

  #onMeasured(measures: WorkerMeasures | undefined): void {
    this.#measuring = undefined
    this.#tellMeasures(measures)
  }

  async #answerTo(number: number, questions: readonly DuplicateQuestion[]): Promise<void> {
    const known = await this.#answer(questions)
    this.#process.send({ kind: 'duplicates', number, known })
  }

  #start(): void {
    if (this.#closing !== undefined) return this.#process.send(this.#closing)
    this.#isStarted = true
    this.#process.send({ kind: 'start', task: this.#task() })
  }
}
