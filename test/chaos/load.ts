import { Agent, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as wait } from 'node:timers/promises'
import { makeEvent, makeGoodEvent, type SentEvent } from './events.js'
import type { Random } from './random.js'

export interface LoadOptions {
  readonly url: string
  readonly writeKeys: readonly string[]
  readonly random: Random
  readonly connections: number
  /** @default all kinds of events */
  readonly makeEvent?: (messageId: string, random: Random) => SentEvent
}

interface Post {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly events: readonly SentEvent[]
}

/** As the SDKs: they give up on a request after this long, and send it again. */
const REQUEST_TIMEOUT_MS = 10_000
const MAX_TRIES = 30
const LONGEST_BATCH = 40

/** Clients that send events, one request at a time each, and write down which were acknowledged. */
export class Load {
  /** The streams that each event belongs in, by `messageId`. */
  readonly sent = new Map<string, readonly string[]>()
  readonly acked = new Set<string>()
  /** Sent again because it was not acknowledged. */
  readonly resent = new Set<string>()
  /** By status; `0` where there was no answer. */
  readonly answers = new Map<number, number>()
  /** Answers on which senders would let go: there is no reason for any. */
  readonly refusals: string[] = []
  readonly #options: LoadOptions
  readonly #clients: Promise<void>[] = []
  #isStopped = false

  constructor(options: LoadOptions) {
    this.#options = options
  }

  start(): this {
    for (let client = 0; client < this.#options.connections; client++) this.#clients.push(this.#run(client))
    return this
  }

  /** Resolves when each client has the answer to its last request. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await Promise.all(this.#clients)
  }

  /** Waits until so many more events are acknowledged. */
  async acknowledged(count: number): Promise<void> {
    const before = this.acked.size
    while (this.acked.size < before + count) await wait(20)
  }

  async #run(client: number): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    for (let n = 0; !this.#isStopped; n++) await this.#send(this.#makePost(`${client}-${n}`), agent)
    agent.destroy()
  }

  async #send(post: Post, agent: Agent): Promise<void> {
    for (const { messageId, streams } of post.events) this.sent.set(messageId, streams)
    for (let tries = 1; tries <= MAX_TRIES; tries++) {
      const status = await this.#post(post, agent)
      this.answers.set(status, (this.answers.get(status) ?? 0) + 1)
      if (status === 200) {
        for (const { messageId } of post.events) this.acked.add(messageId)
        return
      }
      if (this.#isStopped) return
      for (const { messageId } of post.events) this.resent.add(messageId)
      await wait(100)
    }
  }

  /** The status; `0` where there was no answer. */
  #post({ path, headers, body }: Post, agent: Agent): Promise<number> {
    const { promise, resolve } = withResolvers<number>()
    const sent = request(
      this.#options.url + path,
      { method: 'POST', agent, headers, timeout: REQUEST_TIMEOUT_MS },
      (answer) => {
        const { statusCode = 0 } = answer
        text(answer).then(
          (content) => {
            if (statusCode !== 200 && statusCode !== 503)
              this.refusals.push(`${path}: ${statusCode} ${content}`)
            resolve(statusCode)
          },
          // An answer that breaks off is none.
          () => resolve(0),
        )
      },
    )
    sent.on('error', () => resolve(0))
    sent.on('timeout', () => sent.destroy())
    sent.end(body)
    return promise
  }

  #makePost(id: string): Post {
    const { random, writeKeys } = this.#options
    const writeKey = random.pick(writeKeys)
    const isKeyInBody = random.chance(0.3)
    const isSingle = random.chance(0.3)
    const count = isSingle ? 1 : random.between(1, LONGEST_BATCH)
    const make = this.#options.makeEvent ?? (isSingle ? makeGoodEvent : makeEvent)
    const events = Array.from({ length: count }, (_, i) => make(`${id}-${i}`, random))
    const content = isSingle ? events[0]?.body : { batch: events.map(({ body }) => body) }
    return {
      path: isSingle ? `/v1/${events[0]?.body['type']}` : random.pick(['/v1/batch', '/v1/b', '/v1/import']),
      headers: {
        'content-type': random.pick(['application/json', 'text/plain']),
        ...(!isKeyInBody && { authorization: `Basic ${Buffer.from(`${writeKey}:`).toString('base64')}` }),
      },
      body: JSON.stringify({ ...content, ...(isKeyInBody && { writeKey }) }),
      events,
    }
  }
}

function withResolvers<T>() {
  let resolve: (value: T) => void = () => {}
  const promise = new Promise<T>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
