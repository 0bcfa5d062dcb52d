import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Tally } from './tally.js'

/** What such a server does wrong. */
export type Bug = 'none' | 'acks before durable' | 'drops on retry' | 'acks a refused part' | 'invents'

export interface CarelessServer {
  readonly url: string
  readonly taken: Tally
  readonly deadLettered: Tally
  /** Like SIGKILL: what is only in memory is gone. */
  kill(): Promise<void>
}

interface Event {
  readonly messageId: string
  readonly type: string
  readonly event?: string
  readonly userId?: string
  readonly anonymousId?: string
}

/** How many requests such a server holds back in memory. */
const HELD = 3

/** A server as small as can be, whose Firehose is a tally that refuses each third request at first. */
export async function startCarelessServer(bug: Bug): Promise<CarelessServer> {
  const taken = new Tally()
  const deadLettered = new Tally()
  const held: (readonly Event[])[] = []
  let requests = 0

  /** The status it answers. */
  const handle = (events: readonly Event[]): number => {
    requests++
    const isRefused = requests % 3 === 0
    if (isRefused && bug === 'drops on retry') return 200
    if (isRefused && bug === 'acks a refused part') {
      take(events.slice(1))
      return 200
    }
    if (isRefused) return 503
    if (bug !== 'acks before durable') take(events)
    else if (held.push(events) > HELD) take(held.shift() ?? [])
    return 200
  }

  const take = (events: readonly Event[]) => {
    for (const event of events) {
      if (event.userId === undefined && event.anonymousId === undefined) deadLettered.add('', event.messageId)
      else for (const stream of streamsOf(event)) taken.add(stream, event.messageId)
      if (bug === 'invents') taken.add('everything', `${event.messageId}-copy`)
    }
  }

  const server = createServer(async (req, res) => {
    res.statusCode = handle(await eventsOf(req))
    res.end()
  })
  return { url: await listen(server), taken, deadLettered, kill: () => close(server) }
}

/** @returns its URL */
async function listen(server: Server): Promise<string> {
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function close(server: Server): Promise<void> {
  return new Promise((closed) => {
    server.close(() => closed())
    server.closeAllConnections()
  })
}

async function eventsOf(req: IncomingMessage): Promise<readonly Event[]> {
  const chunks: Buffer[] = []
  for await (const chunk of req) chunks.push(chunk as Buffer)
  const body = JSON.parse(Buffer.concat(chunks).toString()) as Event & { batch?: readonly Event[] }
  return body.batch ?? [body]
}

function streamsOf({ type, event }: Event): readonly string[] {
  const own = { page: 'page_views', 'User Registered': 'signups', 'Order Completed': 'orders' }
  const stream = (own as Readonly<Record<string, string>>)[event ?? type]
  return stream === undefined ? ['everything'] : [stream, 'everything']
}
