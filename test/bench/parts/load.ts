import { announce, answerCommands, readOptions } from './commands.js'
import { Connection } from './connection.js'
import { type RequestOptions, Requests } from './requests.js'

export interface LoadOptions extends Omit<RequestOptions, 'writeKey'> {
  /** Given to the connections in turn. */
  readonly writeKeys: readonly string[]
  /** Each has one request under way. */
  readonly connections: number
}

interface Run {
  readonly url: string
  readonly seconds: number
  /** Over all connections, evenly; without it each sends as soon as it has an answer. */
  readonly requestsPerSecond?: number
}

/** What came of a run. */
export interface Sent {
  /** Those answered with 200. */
  readonly events: number
  readonly seconds: number
  /** Requests that had another answer, by status; `0` for none. */
  readonly failures: Readonly<Record<number, number>>
  /** Those for which no connection was free in time. */
  readonly unsent: number
  readonly latencyMs: { readonly p50: number; readonly p99: number }
}

const { writeKeys, connections, ...requestOptions } = readOptions<LoadOptions>()
const requests = Array.from(
  { length: connections },
  (_, i) => new Requests({ ...requestOptions, writeKey: writeKeys[i % writeKeys.length] as string }),
)

class Client {
  #connection: Connection | undefined

  constructor(
    private readonly url: string,
    private readonly requests: Requests,
    private readonly results: Results,
  ) {}

  async send(): Promise<void> {
    if (this.#connection?.isOpen !== true) this.#connection = new Connection(this.url)
    const from = performance.now()
    const status = await this.#connection.send(this.requests.next())
    this.results.add(status, this.requests.events, performance.now() - from)
  }

  close(): void {
    this.#connection?.close()
  }
}

class Results {
  #events = 0
  unsent = 0
  readonly #failures: Record<number, number> = {}
  readonly #latenciesMs: number[] = []

  add(status: number, events: number, latencyMs: number): void {
    this.#latenciesMs.push(latencyMs)
    if (status === 200) this.#events += events
    else this.#failures[status] = (this.#failures[status] ?? 0) + 1
  }

  sent(seconds: number): Sent {
    const sorted = this.#latenciesMs.sort((a, b) => a - b)
    const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? 0
    const latencyMs = { p50: at(0.5), p99: at(0.99) }
    return { events: this.#events, seconds, failures: this.#failures, unsent: this.unsent, latencyMs }
  }
}

async function run({ url, seconds, requestsPerSecond }: Run): Promise<Sent> {
  const results = new Results()
  const clients = requests.map((requests) => new Client(url, requests, results))
  const from = performance.now()
  const until = from + seconds * 1_000
  if (requestsPerSecond === undefined) await Promise.all(clients.map((client) => sendUntil(client, until)))
  else await sendEvenly(clients, { until, requestsPerSecond, results })
  for (const client of clients) client.close()
  return results.sent((performance.now() - from) / 1_000)
}

async function sendUntil(client: Client, until: number): Promise<void> {
  do await client.send()
  while (performance.now() < until)
}

interface Even {
  readonly until: number
  readonly requestsPerSecond: number
  readonly results: Results
}

/** Whatever the answers do: what finds no free connection is not made up for. */
async function sendEvenly(clients: Client[], { until, requestsPerSecond, results }: Even): Promise<void> {
  const free = [...clients]
  const underWay = new Set<Promise<void>>()
  const from = performance.now()
  for (let n = 0; performance.now() < until; n++) {
    const wait = from + (n * 1_000) / requestsPerSecond - performance.now()
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
    const client = free.pop()
    if (client === undefined) {
      results.unsent++
      continue
    }
    const sending = client.send().then(() => {
      free.push(client)
      underWay.delete(sending)
    })
    underWay.add(sending)
  }
  await Promise.all(underWay)
}

answerCommands({ run })
announce({})
