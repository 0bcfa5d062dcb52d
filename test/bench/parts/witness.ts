import { announce, answerCommands, readOptions } from './commands.js'
import { Connection } from './connection.js'
import { Requests } from './requests.js'

/** The honest load that goes on while bombs come, and a look at how long each process takes for the least request. */
export interface WitnessOptions {
  readonly url: string
  readonly writeKey: string
  /** Each has connections of its own that are looked at. */
  readonly processes: number
}

/** What was seen from `begin` to `end`. */
export interface Seen {
  readonly requests: number
  /** Answered 429 or 503 with Retry-After. */
  readonly deferred: number
  /** Other answers than these and 200, by status; `0` for none. */
  readonly failures: Readonly<Record<number, number>>
  /** When a request was last answered other than with 200, in ms since 1970. */
  readonly lastRefusalAt: number
  /** Of the least request. */
  readonly longestMs: number
}

/** Bodies of one event and of a hundred, ten to one. */
const SINGLES_PER_SECOND = 90
const BATCHES_PER_SECOND = 10
const EVENTS_IN_BATCH = 100
const PROBE_EVERY_MS = 10
const PROBE = Buffer.from('GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')

const { url, writeKey, processes } = readOptions<WitnessOptions>()
let seen = nothing()
const isOver = false

function nothing() {
  return { requests: 0, deferred: 0, failures: {} as Record<number, number>, lastRefusalAt: 0, longestMs: 0 }
}

/** Connections that are free, and as many new ones as are needed. */
class Pool {
  readonly #free: Connection[] = []

  async send(request: Buffer): Promise<{ readonly status: number; readonly canComeBack: boolean }> {
    const connection = this.#take()
    const status = await connection.send(request)
    if (connection.isOpen) this.#free.push(connection)
    return { status, canComeBack: connection.hasRetryAfter }
  }

  #take(): Connection {
    for (let free = this.#free.pop(); free !== undefined; free = this.#free.pop()) {
      if (free.isOpen) return free
    }
    return new Connection(url)
  }
}

function load(perSecond: number, eventsInBody: number): void {
  const pool = new Pool()
  const requests = new Requests({ eventsInBody, writeKey })
  const timer = setInterval(() => {
    if (isOver) return clearInterval(timer)
    void pool.send(Buffer.from(requests.next())).then(note)
  }, 1_000 / perSecond)
}

function note({ status, canComeBack }: { readonly status: number; readonly canComeBack: boolean }): void {
  seen.requests++
  if (status === 200) return
  seen.lastRefusalAt = Date.now()
  if ((status === 429 || status === 503) && canComeBack) seen.deferred++
  else seen.failures[status] = (seen.failures[status] ?? 0) + 1
}

async function probe(): Promise<void> {
  let connection = new Connection(url)
  while (!isOver) {
    const from = performance.now()
    await connection.send(PROBE)
    seen.longestMs = Math.max(seen.longestMs, performance.now() - from)
    if (!connection.isOpen) connection = new Connection(url)
    await new Promise((resolve) => setTimeout(resolve, PROBE_EVERY_MS))
  }
  connection.close()
}

answerCommands({
  begin() {
    seen = nothing()
  },
  end: (): Seen => seen,
})
// Connections are given to the processes in turn.
for (let i = 0; i < 2 * processes; i++) void probe()
load(SINGLES_PER_SECOND, 1)
load(BATCHES_PER_SECOND, EVENTS_IN_BATCH)
announce({})
