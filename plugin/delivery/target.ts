import type { Api, Put } from '../aws/put.js'
import type { Clock } from '../clock.js'
import type { FirehoseError } from '../errors.js'
import { Backlog } from './backlog.js'
import { type BatchLimits, entriesOf, type OutgoingRecord, recordData, takeBatch } from './batch.js'
import { CallTime } from './call-time.js'
import type { CircuitState } from './circuit.js'
import { DeadlineWatch } from './deadline-watch.js'
import type { Entry } from './entry.js'
import type { EntryQueue } from './entry-queue.js'
import { deliveryTimedOut, recordRejected, streamUnavailable } from './failures.js'
import { FlowControl, type FlowControlOptions } from './flow-control.js'
import { heldBytes } from './held-bytes.js'
import type { Notices } from './notices.js'
import { Pump } from './pump.js'
import { Settling, type SettlingOptions } from './settling.js'
import type { StreamStats } from './stats.js'
import { type Verdict, verdictOf } from './verdict.js'

export interface TargetOptions extends FlowControlOptions, SettlingOptions {
  readonly put: Put
  readonly limits: BatchLimits
  /** In ms. */
  readonly flushInterval: number
  readonly deliveryTimeout: number
  readonly requestTimeout: number
  readonly notices: Notices
  /** Called when the stream has taken something. */
  readonly onProgress?: () => void
}

/** What one turn of the event loop sends, in bytes: a call of 4 MiB takes some 30 ms to write and sign. */
const MAX_TURN_BYTES = 512 * 1024

interface Call {
  readonly api: Api
  readonly records: readonly OutgoingRecord[]
  readonly entries: readonly Entry[]
  /** Of {@link FlowControl}. */
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
  readonly #flow: FlowControl
  readonly #deadlines: DeadlineWatch
  readonly #pump: Pump
  readonly #callTime: CallTime
  #lastError: Error | undefined
  /** A flush was asked for: what is queued does not wait for company. */
  #hurried = false
  readonly #settling: Settling
  readonly #counts = { resent: 0, calls: 0 }

  constructor(options: TargetOptions) {
    this.#options = options
    this.#clock = options.clock
    this.#flow = new FlowControl(options)
    this.#settling = new Settling(options)
    this.#callTime = new CallTime(options)
    this.#deadlines = new DeadlineWatch(options.clock, () => this.#expire())
    this.#pump = new Pump(options.clock, () => this.#sendQueued())
  }

  enqueue(entry: Entry): void {
    if (this.#flow.circuit.state === 'open') return this.#settling.giveUp([entry], this.#unavailable())
    this.#backlog.add(entry)
    this.#deadlines.watch(entry.deadline)
    this.#pump.defer()
  }

  /** Sends what is queued without waiting for company. */
  hurry(): void {
    this.#hurried = true
    this.#pump.defer()
  }

  /** Gives up everything that is not settled, and stops. */
  close(error: FirehoseError): void {
    this.#settling.giveUp(this.#unsettled(), error)
    this.#backlog.takeAll()
    this.#deadlines.stop()
    this.#pump.cancelWake()
  }

  /** Counts a record that failed before it came here. */
  countFailed(): void {
    this.#settling.countFailed()
  }

  get circuit(): CircuitState {
    return this.#flow.circuit.state
  }

  stats(): StreamStats {
    const held = this.#unsettled()
    return {
      ...this.#settling.counts,
      ...this.#counts,
      queued: held.length,
      queuedBytes: held.reduce((bytes, entry) => bytes + entry.data.byteLength, 0),
      callsInFlight: this.#calls.size,
      api: this.#flow.api.current,
      circuit: this.circuit,
    }
  }

  #unsettled(): Entry[] {
    const underWay = [...this.#calls].flatMap((call) => call.entries)
    return [...this.#backlog, ...underWay].filter((entry) => !entry.settled)
  }

  /** Sends as much as may go now, and sees to being called again for the rest. */
  #sendQueued(): void {
    let bytes = 0
    for (let next = this.#backlog.next(); next !== undefined; next = this.#backlog.next()) {
      if (this.#flow.circuit.state === 'open')
        return this.#settling.giveUp(this.#backlog.takeAll(), this.#unavailable())
      // The end of a call pumps again.
      if (this.#calls.size >= this.#flow.slots) return
      const waitMs = this.#waitMs()
      if (waitMs > 0) return this.#pump.wakeAfter(waitMs)
      if (bytes > MAX_TURN_BYTES) return this.#pump.defer()
      this.#spillHopeless(next.source)
      bytes += this.#sendFrom(next.source, next.isPart)
    }
    this.#hurried = false
  }

  #waitMs(): number {
    const now = this.#clock.now()
    return Math.max(this.#flow.waitMs(now), this.#lingerMs(now))
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

  /** Returns how much it sends, in bytes. */
  #sendFrom(source: EntryQueue, isPart: boolean): number {
    const api = this.#flow.api.current
    const limits = { ...this.#options.limits, ...(api === 'PutRecord' ? { records: 1 } : {}) }
    const records = takeBatch(source, limits)
    const entries = entriesOf(records)
    if (entries.length > 0) void this.#send({ api, records, entries, isPart, round: this.#flow.beginCall() })
    return entries.reduce((sum, { data }) => sum + heldBytes(data), 0)
  }

  /** Spills what would be answered too late: a call that still goes out with it would only make a duplicate. */
  #spillHopeless(source: EntryQueue): void {
    if (this.#options.spill === undefined) return
    const tooLate = this.#clock.now() + this.#callTime.typicalMs
    const hopeless: Entry[] = []
    for (let first = source.peekFront(); first !== undefined; first = source.peekFront()) {
      if (first.isFromSpill || first.deadline > tooLate) break
      hopeless.push(first)
      source.shift()
    }
    if (hopeless.length > 0) this.#giveUpLate(hopeless)
  }

  async #send(call: Call): Promise<void> {
    this.#calls.add(call)
    this.#counts.calls++
    for (const entry of call.entries) {
      if (entry.attempts > 0) this.#counts.resent++
      entry.beginCall()
    }
    const { put, stream } = this.#options
    const start = this.#clock.now()
    const latest = call.entries.reduce((latest, { deadline }) => Math.max(latest, deadline), start)
    const limitMs = this.#callTime.limitMs(latest - start)
    const result = await put(call.api, stream, call.records.map(recordData), limitMs)
    this.#callTime.note(result, limitMs, this.#clock.now() - start)
    this.#calls.delete(call)
    for (const entry of call.entries) entry.endCall()
    this.#apply(verdictOf(call.records, result), call)
    this.#pump.run()
  }

  #apply({ taken, refused, throttledShare, error, remedy }: Verdict, call: Call): void {
    for (const { entries, recordId } of taken) this.#settling.deliver(entries, recordId)
    if (taken.length > 0) this.#progress(call)
    if (error === undefined) return this.#flow.grow(call.api)
    this.#lastError = error
    if (remedy === 'isolate') return this.#split(call, error)
    const isFinal = remedy === 'park' || (remedy === 'denied' && !this.#flow.api.denied(call.api))
    if (isFinal) return this.#park(call, error)
    if (remedy === 'retry') this.#flow.backOff(call, throttledShare)
    this.#backlog.putBack(refused, call.isPart)
  }

  #progress({ api, round }: Call): void {
    const { notices, onProgress } = this.#options
    notices.recovered()
    onProgress?.()
    this.#flow.progress(round)
    if (this.#flow.api.allowed(api)) notices.fellBackToPutRecord()
  }

  /** Something in the call is invalid: the halves are sent apart; an entry that stands alone is the one. */
  #split(call: Call, error: Error): void {
    const [only] = call.entries
    if (call.entries.length === 1 && only !== undefined) {
      return this.#settling.fail([only], recordRejected(this.#options.stream, error))
    }
    this.#backlog.split(call.entries)
  }

  #park(call: Call, error: Error): void {
    this.#options.notices.parked(error)
    this.#flow.circuit.open(error)
    this.#settling.giveUp([...call.entries, ...this.#backlog.takeAll()], this.#unavailable())
  }

  #unavailable(): FirehoseError {
    return streamUnavailable(this.#options.stream, this.#flow.circuit.cause)
  }

  /** Settles what is past its deadline, under way or not: whoever waits must know in time. */
  #expire(): void {
    const now = this.#clock.now()
    const open = this.#unsettled().filter((entry) => !entry.isOut)
    const late = open.filter((entry) => entry.deadline <= now)
    if (late.length > 0) this.#giveUpLate(late)
    this.#backlog.dropGivenUp()
    for (const entry of open) if (!entry.isOut) this.#deadlines.watch(entry.deadline)
  }

  #giveUpLate(late: readonly Entry[]): void {
    const { stream, deliveryTimeout, notices } = this.#options
    notices.stalled(deliveryTimeout, this.#lastError)
    this.#settling.giveUp(late, deliveryTimedOut(stream, deliveryTimeout, this.#lastError))
  }
}
