import { classify, isAccessDenied } from '../aws/error-classes.js'
import type { Api, Put, PutResult, RecordAnswer } from '../aws/put.js'
import type { Clock } from '../clock.js'
import type { FirehoseError } from '../errors.js'
import type { Logger } from '../logger.js'
import type { PutApi } from '../settings/settings.js'
import { ApiChoice } from './api-choice.js'
import { Backlog } from './backlog.js'
import { type BatchLimits, type OutgoingRecord, recordData, takeBatch } from './batch.js'
import { Circuit } from './circuit.js'
import { ConcurrencyLimit } from './concurrency-limit.js'
import { DeadlineWatch } from './deadline-watch.js'
import type { Entry } from './entry.js'
import type { EntryQueue } from './entry-queue.js'
import { deliveryTimedOut, recordRejected, streamUnavailable } from './failures.js'
import { Pacer } from './pacer.js'
import { Pause } from './pause.js'
import type { StreamStats } from './stats.js'

/** Calls in flight at most, where the settings do not say. PutRecord carries one record, so it needs more of them. */
const BATCH_CALLS = 8
const SINGLE_CALLS = 50

export interface TargetOptions {
  readonly stream: string
  readonly put: Put
  readonly api: PutApi
  readonly limits: BatchLimits
  /** In ms. */
  readonly flushInterval: number
  readonly deliveryTimeout: number
  readonly concurrency: number | undefined
  readonly maxRequestsPerSecond: number
  readonly clock: Clock
  readonly logger: Logger
  /** The policy statement that lets this stream be written by PutRecordBatch, for the notice. */
  readonly policyStatement: string
}

interface Call {
  readonly api: Api
  readonly records: readonly OutgoingRecord[]
  readonly entries: readonly Entry[]
  /** Of {@link Pause}. */
  readonly round: number
  /** Whether it is part of a call that Firehose found invalid. */
  readonly isPart: boolean
}

/**
 * One stream, written with one client: its queue, its limit on calls, its backoff and its circuit.
 *
 * A record goes out as soon as a slot is free; while all are busy records gather. What Firehose did not take goes
 * back to the head of the queue; what it took is never sent again. Every entry is settled by its deadline.
 */
export class Target {
  readonly #options: TargetOptions
  readonly #clock: Clock
  readonly #backlog = new Backlog()
  readonly #calls = new Set<Call>()
  readonly #api: ApiChoice
  readonly #concurrency: Readonly<Record<Api, ConcurrencyLimit>>
  readonly #pacer: Pacer
  readonly #circuit: Circuit
  readonly #deadlines: DeadlineWatch
  readonly #pause: Pause
  #lastError: Error | undefined
  /** A flush was asked for: what is queued does not wait for company. */
  #hurried = false
  #pumpDeferred = false
  #cancelWake: (() => void) | undefined
  readonly #counts = { delivered: 0, failed: 0, resent: 0, calls: 0 }

  constructor(options: TargetOptions) {
    const { api, clock, concurrency, maxRequestsPerSecond } = options
    this.#options = options
    this.#clock = clock
    this.#api = new ApiChoice(api, clock)
    this.#concurrency = {
      PutRecordBatch: new ConcurrencyLimit(concurrency ?? BATCH_CALLS),
      PutRecord: new ConcurrencyLimit(concurrency ?? SINGLE_CALLS),
    }
    this.#pacer = new Pacer(maxRequestsPerSecond)
    this.#circuit = new Circuit(clock)
    this.#pause = new Pause(clock)
    this.#deadlines = new DeadlineWatch(clock, () => this.#expire())
  }

  enqueue(entry: Entry): void {
    if (this.#circuit.state === 'open') return this.#fail([entry], this.#unavailable())
    this.#backlog.add(entry)
    this.#deadlines.watch(entry.deadline)
    this.#deferPump()
  }

  /** Sends what is queued without waiting for company. */
  hurry(): void {
    this.#hurried = true
    this.#deferPump()
  }

  /** Fails everything that is not settled, and stops. */
  close(error: FirehoseError): void {
    this.#fail(this.#unsettled(), error)
    this.#backlog.takeAll()
    this.#deadlines.stop()
    this.#cancelWake?.()
  }

  /** Counts a record that failed before it came here. */
  countFailed(): void {
    this.#counts.failed++
  }

  stats(): StreamStats {
    const held = this.#unsettled()
    return {
      ...this.#counts,
      queued: held.length,
      queuedBytes: held.reduce((bytes, entry) => bytes + entry.data.byteLength, 0),
      callsInFlight: this.#calls.size,
      api: this.#api.current,
      circuit: this.#circuit.state,
    }
  }

  #unsettled(): Entry[] {
    const underWay = [...this.#calls].flatMap((call) => call.entries)
    return [...this.#backlog, ...underWay].filter((entry) => !entry.settled)
  }

  #deferPump(): void {
    if (this.#pumpDeferred) return
    this.#pumpDeferred = true
    this.#clock.defer(() => {
      this.#pumpDeferred = false
      this.#pump()
    })
  }

  /** Sends as much as may go now, and sees to being called again for the rest. */
  #pump(): void {
    this.#cancelWake?.()
    for (let next = this.#backlog.next(); next !== undefined; next = this.#backlog.next()) {
      if (this.#circuit.state === 'open') return this.#fail(this.#backlog.takeAll(), this.#unavailable())
      // The end of a call pumps again.
      if (this.#calls.size >= this.#slots()) return
      const wait = this.#waitMs()
      if (wait > 0) {
        this.#cancelWake = this.#clock.after(wait, () => this.#pump())
        return
      }
      this.#sendFrom(next.source, next.isPart)
    }
    this.#hurried = false
  }

  #slots(): number {
    const isProbe = this.#api.tentative || this.#circuit.state === 'half-open'
    return isProbe ? 1 : this.#concurrency[this.#api.current].calls
  }

  #waitMs(): number {
    const now = this.#clock.now()
    return Math.max(this.#pause.waitMs(now), this.#pacer.waitMs(now), this.#lingerMs(now))
  }

  /** How long the queue still waits for company. */
  #lingerMs(now: number): number {
    const { flushInterval, limits } = this.#options
    if (flushInterval === 0 || this.#hurried || this.#backlog.hasParts) return 0
    const { length, bytes, oldest } = this.#backlog.queue
    if (oldest === undefined) return 0
    const isFull = length >= limits.records * limits.documents || bytes >= limits.bytes
    return isFull ? 0 : oldest.enqueuedAt + flushInterval - now
  }

  #sendFrom(source: EntryQueue, isPart: boolean): void {
    const api = this.#api.current
    const limits = { ...this.#options.limits, ...(api === 'PutRecord' ? { records: 1 } : {}) }
    const records = takeBatch(source, limits)
    const entries = records.flatMap((record) => record.entries)
    if (entries.length > 0) void this.#send({ api, records, entries, isPart, round: this.#pause.round })
  }

  async #send(call: Call): Promise<void> {
    this.#calls.add(call)
    this.#pacer.take(this.#clock.now())
    this.#counts.calls++
    for (const entry of call.entries) {
      if (entry.attempts > 0) this.#counts.resent++
      entry.beginCall()
    }
    const result = await this.#options.put(call.api, this.#options.stream, call.records.map(recordData))
    this.#calls.delete(call)
    for (const entry of call.entries) entry.endCall()
    this.#take(call, result)
    this.#pump()
  }

  #take(call: Call, result: PutResult): void {
    if ('answers' in result) return this.#takeAnswers(call, result.answers)
    const { error, throttled } = result.refusal
    this.#lastError = error
    switch (result.refusal.class) {
      case 'isolate':
        return this.#split(call, error)
      case 'park':
        if (isAccessDenied(error) && this.#api.denied(call.api))
          return this.#backlog.putBack(call.entries, call.isPart)
        return this.#park(call, error)
      default:
        if (this.#pause.begin(call.round) && throttled) this.#concurrency[call.api].shrink(1)
        return this.#backlog.putBack(call.entries, call.isPart)
    }
  }

  #takeAnswers(call: Call, answers: readonly RecordAnswer[]): void {
    const refused: Entry[] = []
    let taken = 0
    let throttled = 0
    call.records.forEach((record, i) => {
      const answer = answers[i] as RecordAnswer
      if ('recordId' in answer) {
        taken++
        this.#deliver(record.entries, answer.recordId)
        return
      }
      refused.push(...record.entries)
      this.#lastError = Object.assign(new Error(answer.errorMessage), { name: answer.errorCode })
      if (classify(this.#lastError).throttled) throttled++
    })
    if (taken > 0) this.#progress(call.api)
    if (refused.length === 0) return this.#concurrency[call.api].grow()
    const isNews = this.#pause.begin(call.round)
    if (isNews && throttled > 0) this.#concurrency[call.api].shrink(throttled / call.records.length)
    this.#backlog.putBack(refused, call.isPart)
  }

  #progress(api: Api): void {
    this.#pause.end()
    if (this.#circuit.state !== 'closed')
      this.#options.logger.info(`Stream "${this.#options.stream}" takes records again`)
    this.#circuit.close()
    if (!this.#api.allowed(api)) return
    this.#options.logger.warn(
      `The role may not call PutRecordBatch on stream "${this.#options.stream}": sending by PutRecord, one record a ` +
        `call, which is slower. Add to its policy: ${this.#options.policyStatement}`,
    )
  }

  /** Something in the call is invalid: the halves are sent apart; an entry that stands alone is the one. */
  #split(call: Call, error: Error): void {
    const [only] = call.entries
    if (call.entries.length === 1 && only !== undefined) {
      return this.#fail([only], recordRejected(this.#options.stream, error))
    }
    this.#backlog.split(call.entries)
  }

  #park(call: Call, error: Error): void {
    if (this.#circuit.state === 'closed') {
      this.#options.logger.error(
        `Stream "${this.#options.stream}" cannot be written, records fail until it can: ${error.message}`,
      )
    }
    this.#circuit.open(error)
    this.#fail([...call.entries, ...this.#backlog.takeAll()], this.#unavailable())
  }

  #deliver(entries: readonly Entry[], recordId: string): void {
    for (const entry of entries) if (entry.settle({ status: 'delivered', recordId })) this.#counts.delivered++
  }

  #fail(entries: readonly Entry[], error: FirehoseError): void {
    for (const entry of entries) if (entry.settle({ status: 'failed', error })) this.#counts.failed++
  }

  #unavailable(): FirehoseError {
    return streamUnavailable(this.#options.stream, this.#circuit.cause)
  }

  /** Settles what is past its deadline, under way or not: whoever waits must know in time. */
  #expire(): void {
    const now = this.#clock.now()
    const open = this.#unsettled()
    const { stream, deliveryTimeout } = this.#options
    const late = open.filter((entry) => entry.deadline <= now)
    this.#fail(late, deliveryTimedOut(stream, deliveryTimeout, this.#lastError))
    this.#backlog.dropSettled()
    for (const entry of open) if (!entry.settled) this.#deadlines.watch(entry.deadline)
  }
}
