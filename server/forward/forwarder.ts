import type { Clock } from '../../plugin/clock.js'
import type { ByteBudget } from '../../plugin/delivery/byte-budget.js'
import { Pause } from '../../plugin/delivery/pause.js'
import { Pump } from '../../plugin/delivery/pump.js'
import { guarded, type Logger } from '../../plugin/logger.js'
import { ForwardNotices } from './forward-notices.js'
import { type ForwardEntry, ForwardQueue } from './forward-queue.js'
import type { ForwardedRequest } from './forwarded-request.js'
import { post, type Verdict } from './post.js'

const MAX_IN_FLIGHT = 4
/** A request is let go of after this. */
const MAX_AGE_MS = 60 * 60_000

/** Longer than towards Firehose: no sender waits for this. */
const PAUSE = { baseMs: 1000, maxMs: 60_000 }

const CLOSED = 'as the proxy closed'
const SWITCHED_OFF = 'as forwarding was switched off'

export interface ForwarderOptions {
  /** Where paths are appended: `https://api.segment.io`. */
  readonly url: string
  /** What waits here at most. */
  readonly maxQueuedBytes: number
  /** Shared by all forwarders. */
  readonly budget: ByteBudget
  /** The source's, for the log. */
  readonly name: string
  readonly clock: Clock
  readonly logger: Logger
  /** @default the global one */
  readonly fetch?: typeof fetch
}

/** Counts of requests since the start, and what waits now. */
export interface ForwarderStats {
  /** Taken by Segment. */
  readonly forwarded: number
  /** Given up: for want of room, refused by Segment, too old, closed or discarded. */
  readonly dropped: number
  /** Tries after the first. */
  readonly retried: number
  /** Waiting or under way. */
  readonly queued: number
  readonly queuedBytes: number
}

interface Try {
  readonly abort: AbortController
  /** Of {@link Pause}. */
  readonly round: number
}

/**
 * Sends one source's tracking requests on to Segment, beside their delivery to Firehose and never in its way: nothing
 * here throws, waits, or takes more memory than its share. What cannot be forwarded is dropped, counted and told.
 *
 * Requests go in order, four at a time. After one that failed all pause; it is sent again first, unless others got
 * through meanwhile: then it may itself be what fails, and goes last, lest it holds up the rest.
 */
export class Forwarder {
  readonly #options: ForwarderOptions
  readonly #base: URL
  readonly #clock: Clock
  readonly #queue: ForwardQueue
  readonly #underWay = new Map<ForwardEntry, Try>()
  readonly #pause: Pause
  readonly #pump: Pump
  readonly #notices: ForwardNotices
  readonly #counts = { forwarded: 0, dropped: 0, retried: 0 }
  #whenIdle: (() => void)[] = []
  /** Why nothing is taken any more. */
  #closed: string | undefined

  /** @throws TypeError where `url` is none */
  constructor(options: ForwarderOptions) {
    this.#options = options
    this.#base = new URL(options.url)
    this.#clock = options.clock
    this.#queue = new ForwardQueue(options.maxQueuedBytes, options.budget)
    this.#pause = new Pause(options.clock, PAUSE)
    this.#pump = new Pump(options.clock, () => this.#sendQueued())
    this.#notices = new ForwardNotices(options.name, guarded(options.logger), options.clock)
  }

  /** Takes a request over, or drops it and says `false`. Nothing is sent before the caller's turn is over. */
  forward(request: ForwardedRequest): boolean {
    const isTaken = this.#closed === undefined && this.#queue.add(request, this.#clock.now())
    if (isTaken) this.#pump.defer()
    else this.#countDropped(1, this.#closed ?? 'as too much is waiting')
    return isTaken
  }

  stats(): ForwarderStats {
    const queued = this.#queue.length + this.#underWay.size
    return { ...this.#counts, queued, queuedBytes: this.#queue.bytes }
  }

  /** Takes no more, tries what waits until `timeout` ms are over, and drops the rest. */
  async close({ timeout }: { readonly timeout: number }): Promise<void> {
    this.#closed = CLOSED
    const letGo = this.#clock.hold()
    await this.#idleWithin(timeout)
    letGo()
    this.#dropAll(CLOSED)
    this.#notices.flush()
  }

  /** Drops at once all that waits or is under way, and what requests that began before still bring. */
  discard(): void {
    this.#closed = SWITCHED_OFF
    this.#dropAll(SWITCHED_OFF)
  }

  /** Sends as much as may go now, and sees to being called again for the rest. */
  #sendQueued(): void {
    this.#dropLate()
    // The end of a try pumps again.
    while (this.#queue.length > 0 && this.#underWay.size < MAX_IN_FLIGHT) {
      const waitMs = this.#pause.waitMs(this.#clock.now())
      if (waitMs > 0) return this.#pump.wakeAfter(waitMs)
      void this.#send(this.#queue.shift() as ForwardEntry)
    }
    this.#tellIdle()
  }

  async #send(entry: ForwardEntry): Promise<void> {
    const { fetch = globalThis.fetch } = this.#options
    const abort = new AbortController()
    const thisTry: Try = { abort, round: this.#pause.round }
    this.#underWay.set(entry, thisTry)
    if (entry.othersForwarded === undefined) entry.othersForwarded = this.#counts.forwarded
    else this.#counts.retried++
    const verdict = await post(entry.request, { base: this.#base, clock: this.#clock, fetch, abort })
    // Dropped meanwhile.
    if (!this.#underWay.delete(entry)) return
    this.#apply(verdict, entry, thisTry)
    this.#pump.run()
  }

  #apply(verdict: Verdict, entry: ForwardEntry, { round }: Try): void {
    switch (verdict.outcome) {
      case 'forwarded':
        this.#pause.progress()
        this.#counts.forwarded++
        return this.#queue.release(entry)
      case 'refused':
        return this.#drop([entry], `as Segment refused them (${verdict.cause})`)
      case 'failed':
        this.#pause.begin(round, verdict.askedMs)
        this.#notices.failed(verdict.cause)
        this.#putBack(entry)
    }
  }

  #putBack(entry: ForwardEntry): void {
    const { forwarded } = this.#counts
    if (forwarded === entry.othersForwarded) this.#queue.putBack(entry)
    else this.#queue.putLast(entry)
    entry.othersForwarded = forwarded
  }

  /** The oldest are first, but for those that went last: they are found a little later. */
  #dropLate(): void {
    const latest = this.#clock.now() - MAX_AGE_MS
    const isLate = (entry: ForwardEntry) => entry.enqueuedAt <= latest
    this.#drop(this.#queue.takeWhile(isLate), 'as Segment did not take them within an hour')
  }

  #dropAll(why: string): void {
    this.#pump.cancelWake()
    const underWay = [...this.#underWay]
    this.#underWay.clear()
    for (const [, { abort }] of underWay) abort.abort()
    const waiting = this.#queue.takeWhile(() => true)
    this.#drop([...underWay.map(([entry]) => entry), ...waiting], why)
    this.#tellIdle()
  }

  #drop(entries: readonly ForwardEntry[], why: string): void {
    for (const entry of entries) this.#queue.release(entry)
    if (entries.length > 0) this.#countDropped(entries.length, why)
  }

  #countDropped(count: number, why: string): void {
    this.#counts.dropped += count
    this.#notices.dropped(count, why)
  }

  get #isIdle(): boolean {
    return this.#queue.length === 0 && this.#underWay.size === 0
  }

  #idleWithin(timeoutMs: number): Promise<void> {
    if (this.#isIdle) return Promise.resolve()
    return new Promise((resolve) => {
      const cancel = this.#clock.after(timeoutMs, resolve)
      this.#whenIdle.push(() => {
        cancel()
        resolve()
      })
    })
  }

  #tellIdle(): void {
    if (!this.#isIdle) return
    for (const tell of this.#whenIdle) tell()
    this.#whenIdle = []
  }
}
