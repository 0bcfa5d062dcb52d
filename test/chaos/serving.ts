import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Cli } from '../server/cli/spawn-cli.js'
import { ROLES } from './chaos-aws.js'
import { AGGREGATED, MAPPED_STREAMS } from './events.js'
import type { Orders } from './orders.js'

export const WRITE_KEYS = ['key-of-the-web-source', 'key-of-the-app-source'] as const
const MAX_BUFFERED_BYTES = 16 * 1024 * 1024
/** Node, the SDK and this package take about 100 MB before the first event. */
const MAX_RSS_BYTES = MAX_BUFFERED_BYTES + 250 * 1024 * 1024
const PRELOAD = new URL('./preload/preload.js', import.meta.url).href

export interface ServingOptions {
  /** Config, dead letters and, unless it is elsewhere, the spill are here. */
  readonly cwd: string
  readonly endpoint: string
  readonly spill?: string | { readonly directory: string; readonly maxBytes: number }
  readonly mappedStreams?: readonly { readonly event: string; readonly stream: string }[]
  readonly deliveryTimeout?: number
}

/** `analytics-firehose serve` as a process, and those that take its place. */
export class Serving {
  readonly #cwd: string
  readonly #ordersFile: string
  #orders: Orders = { clockOffsetMs: 0 }
  #run: Cli | undefined
  #port = '0'
  #peakBytes = 0
  /** Of the processes before this one. */
  #earlierLog = ''
  restarts = 0

  constructor(options: ServingOptions) {
    this.#cwd = options.cwd
    this.#ordersFile = join(options.cwd, 'orders.json')
    this.order({})
    writeFileSync(join(options.cwd, 'analytics-firehose.yaml'), JSON.stringify(configOf(options)))
  }

  /** What it and those before it logged. */
  get log(): string {
    return this.#earlierLog + (this.#run?.stderr ?? '')
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  async start(): Promise<void> {
    const { PATH = '' } = process.env
    const env = {
      PATH,
      AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE000000000',
      AWS_SECRET_ACCESS_KEY: 'secret',
      NODE_OPTIONS: `--import=${PRELOAD}`,
      CHAOS_ORDERS: this.#ordersFile,
    }
    const args = ['serve', '--port', this.#port, '--log-level', 'warn']
    this.#run = new Cli(args, { cwd: this.#cwd, env })
    const url = await this.#run.saw(/^Listening on (\S+)$/m)
    this.#port = new URL(url).port
  }

  /** Changes what its clock and its disk do, of this process and those that take its place. */
  order(change: Partial<Orders>): void {
    this.#notePeak()
    this.#orders = { ...this.#orders, ...change }
    writeFileSync(`${this.#ordersFile}.new`, JSON.stringify(this.#orders))
    renameSync(`${this.#ordersFile}.new`, this.#ordersFile)
    this.#run?.child.kill('SIGUSR2')
  }

  /** Resolves when it has ended by an order. */
  async died(): Promise<void> {
    await this.#run?.ended()
  }

  /** Waits for a line of its log. */
  async logged(pattern: RegExp): Promise<void> {
    await this.#run?.logged(pattern)
  }

  /** Ends it at once, wherever it is. */
  async kill(): Promise<void> {
    this.#notePeak()
    await this.#end('SIGKILL')
  }

  /** Asks it to end. @returns its exit code */
  async terminate(): Promise<number | null> {
    this.#notePeak()
    return this.#end('SIGTERM')
  }

  async restart(): Promise<void> {
    this.restarts++
    await this.start()
  }

  /** Whether it holds no event in memory. */
  async isIdle(): Promise<boolean> {
    const answer = await fetch(`${this.url}/readyz`).catch(() => undefined)
    const { bufferedShare } = Object(await answer?.json()) as { bufferedShare?: number }
    return bufferedShare === 0
  }

  /** Resident memory at most, over all processes, as a share of what is allowed. */
  get memoryShare(): number {
    this.#notePeak()
    return this.#peakBytes / MAX_RSS_BYTES
  }

  get peakMegabytes(): number {
    this.#notePeak()
    return Math.round(this.#peakBytes / 1024 / 1024)
  }

  #notePeak(): void {
    const [, kilobytes = '0'] = /^VmHWM:\s+(\d+) kB$/m.exec(this.#status()) ?? []
    this.#peakBytes = Math.max(this.#peakBytes, Number(kilobytes) * 1024)
  }

  #status(): string {
    try {
      return readFileSync(`/proc/${this.#run?.child.pid}/status`, 'utf8')
    } catch {
      // It has killed itself, or is not started.
      return ''
    }
  }

  async #end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    const run = this.#run
    if (run === undefined) return null
    run.child.kill(signal)
    const { code, stderr } = await run.ended()
    this.#earlierLog += stderr
    this.#run = undefined
    return code
  }
}

function configOf({
  endpoint,
  spill,
  mappedStreams = MAPPED_STREAMS,
  deliveryTimeout = 300,
}: ServingOptions) {
  const sources = WRITE_KEYS.map((writeKey, i) => ({
    id: `src_${i}`,
    writeKey,
    destination: {
      region: 'us-west-2',
      roleAddress: ROLES[i],
      endpoint,
      stsEndpoint: endpoint,
      mappedStreams,
      deliveryTimeout,
      // Shorter than a fault lasts, so that calls that hang are over soon after it.
      requestTimeout: 1_500,
      aggregation: { [AGGREGATED]: 'ndjson' },
    },
  }))
  return { sources, maxBufferedBytes: MAX_BUFFERED_BYTES, spill, deadLetters: './dead-letters' }
}
