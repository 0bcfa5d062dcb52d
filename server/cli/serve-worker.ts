import { pid } from 'node:process'
import { systemClock } from '../../plugin/clock.js'
import { parseConfigFile } from '../config/config-file.js'
import type { ServeConfiguration } from '../config/configuration.js'
import type { EmbeddedAws } from '../embedded-aws.js'
import type { ConfiguredProxy } from '../firehose-proxy.js'
import { measuresOf } from '../metrics/measures.js'
import type { RunningServer } from '../serve.js'
import { workerShare } from '../worker-share.js'
import { CommandError } from './command-error.js'
import { errorLines } from './error-lines.js'
import type { Log } from './log.js'
import { logNodeWarnings } from './node-warnings.js'
import { SHUTDOWN_TIMEOUT_MS, serveHere } from './serve-here.js'
import { adaptation, demoConfiguration } from './served-configuration.js'
import { SharedDuplicates } from './shared-duplicates.js'
import type { Terminal } from './terminal.js'
import type {
  DuplicateQuestion,
  FromWorker,
  ToWorker,
  WorkerLocalAws,
  WorkerTask,
} from './worker-messages.js'

/** The way to the primary process. */
export interface PrimaryChannel {
  send(message: FromWorker, onSent: () => void): void
  onMessage(listener: (message: ToWorker) => void): void
  /** Called when the primary process has ended. */
  onOrphaned(listener: () => void): void
}

interface WorkerServing {
  readonly server: RunningServer
  readonly proxy: ConfiguredProxy
  /** Resolves to why it cannot go on. */
  readonly failed: Promise<Error>
  readonly log: Log
  /** A config file's text as what this worker serves. */
  readonly read: (config: string | undefined) => ServeConfiguration
  /** What it serves since the start. */
  readonly first: ServeConfiguration
}

/**
 * Serves as the primary process says, and as long as that lives: without it nobody would stop or replace the worker,
 * and the port would be held by what nobody knows of.
 */
export class ServeWorker {
  readonly #channel: PrimaryChannel
  readonly #terminal: Terminal
  readonly #duplicates: SharedDuplicates
  #serving: Promise<WorkerServing> | undefined
  #isClosing = false

  constructor(channel: PrimaryChannel, terminal: Terminal) {
    this.#channel = channel
    this.#terminal = terminal
    const ask = (number: number, questions: readonly DuplicateQuestion[]) =>
      channel.send({ kind: 'duplicates', number, questions }, () => {})
    this.#duplicates = new SharedDuplicates(ask, systemClock)
    channel.onMessage((message) => this.#take(message))
    channel.onOrphaned(() => this.#onOrphaned())
    // A terminal's Ctrl-C and systemd's stop ask all processes of a group: what the primary is asked as well is done once.
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      terminal.signals.on(signal, () => void this.#close(SHUTDOWN_TIMEOUT_MS))
    }
    terminal.signals.on('SIGHUP', () => {})
    channel.send({ kind: 'ready' }, () => {})
  }

  #take(message: ToWorker): void {
    if (message.kind === 'start') void this.#start(message.task)
    else if (message.kind === 'reconfigure') void this.#reconfigure(message.config)
    else if (message.kind === 'measure') void this.#measure()
    else if (message.kind === 'duplicates') this.#duplicates.take(message.number, message.known)
    else void this.#close(message.timeoutMs)
  }

  async #start(task: WorkerTask): Promise<void> {
    this.#serving = served(task, this.#terminal, this.#duplicates)
    try {
      const { server, failed } = await this.#serving
      void failed.then((error) => this.#fail(error, server))
      this.#channel.send({ kind: 'listening', url: server.url }, () => {})
    } catch (error) {
      await this.#send({ kind: 'failed', lines: errorLines(error) })
      this.#terminal.signals.exit(1)
    }
  }

  /** Without a report, by which the primary knows that something is wrong with it. */
  async #fail(error: Error, server: RunningServer): Promise<void> {
    if (this.#isClosing) return
    this.#isClosing = true
    for (const line of errorLines(error)) this.#terminal.err(`error: ${line}`)
    await server.close({ timeout: SHUTDOWN_TIMEOUT_MS }).catch(() => {})
    this.#terminal.signals.exit(1)
  }

  async #reconfigure(config: string): Promise<void> {
    const serving = await this.#serving?.catch(() => undefined)
    if (serving !== undefined) {
      const { proxy, log, read, first } = serving
      // What takes effect at the next start the primary has told, once for all.
      const { maxBufferedBytes, maxClients, spill, deadLetters } = first
      try {
        proxy.reconfigure({ ...read(config), maxBufferedBytes, maxClients, spill, deadLetters })
      } catch (error) {
        for (const line of errorLines(error)) log.error(`The config file was not taken up: ${line}`)
      }
    }
    this.#channel.send({ kind: 'reconfigured' }, () => {})
  }

  async #measure(): Promise<void> {
    const serving = await this.#serving?.catch(() => undefined)
    if (serving === undefined) return
    const { proxy, first } = serving
    // Answered in any case: while a question is open no other is asked.
    const measures = await measuresOf(proxy, first.maxBufferedBytes, systemClock).catch(() => undefined)
    this.#channel.send({ kind: 'measured', measures }, () => {})
  }

  #onOrphaned(): void {
    this.#duplicates.lose()
    // Whoever ends the primary while it closes wants no more of it.
    if (this.#isClosing) return this.#terminal.signals.exit(1)
    this.#terminal.err('error: the process that started this worker is gone: delivering what is queued')
    void this.#close(SHUTDOWN_TIMEOUT_MS)
  }

  async #close(timeout: number): Promise<void> {
    if (this.#isClosing) return
    this.#isClosing = true
    try {
      const serving = await this.#serving?.catch(() => undefined)
      const report = await serving?.server.close({ timeout })
      await this.#send({ kind: 'closed', report: report ?? {} })
      this.#terminal.signals.exit(0)
    } catch (error) {
      for (const line of errorLines(error)) this.#terminal.err(`error: ${line}`)
      this.#terminal.signals.exit(1)
    }
  }

  #send(message: FromWorker): Promise<void> {
    return new Promise((resolve) => this.#channel.send(message, resolve))
  }
}

async function served(
  task: WorkerTask,
  { env, err }: Terminal,
  duplicates: SharedDuplicates,
): Promise<WorkerServing> {
  const { workers, host, port, maxHeaderBytes, logLevel, logFormat } = task
  const { createLog } = await import('./log.js')
  const log = createLog({ level: logLevel, format: logFormat, write: err, fields: { pid } })
  logNodeWarnings(log)
  const adapt = adaptation(log, task.localAws && embeddedAws(task.localAws))
  const read = (config: string | undefined) =>
    workerShare(adapt(config === undefined ? demoConfiguration(log) : parsed(config, env, log)), workers)
  const first = read(task.config)
  const duplicateStore = (source: string) => duplicates.storeOf(source)
  return { ...(await serveHere(first, { host, port, maxHeaderBytes }, { duplicateStore })), log, read, first }
}

/** @throws CommandError which the primary's own reading of the same text rules out */
function parsed(config: string, env: Terminal['env'], logger: Log): ServeConfiguration {
  const result = parseConfigFile(config, { env, logger })
  if ('configuration' in result) return result.configuration
  throw new CommandError(result.problems)
}

function embeddedAws({ endpoint, queueUrls }: WorkerLocalAws): EmbeddedAws {
  // The primary has made the queues that are used; others take effect at the next start.
  return { endpoint, queueUrl: (name) => queueUrls.find((url) => url.endsWith(`/${name}`)) ?? endpoint }
}
