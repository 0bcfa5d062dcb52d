import type { Destination, EventOutcome, MemoryHolder } from '../../plugin/destination.js'
import { FirehoseError } from '../../plugin/errors.js'
import { type SegmentEvent, WritableEvent } from '../../plugin/event.js'

/** A destination that keeps what it is given, and whose outcomes a test decides. */
export class FakeDestination implements Destination {
  readonly delivered: SegmentEvent[] = []
  readonly calls: string[] = []
  outcome: (event: SegmentEvent) => EventOutcome | Promise<EventOutcome> = () => ({ status: 'delivered' })

  async deliver(given: readonly SegmentEvent[], holder?: MemoryHolder): Promise<EventOutcome[]> {
    this.calls.push('deliver')
    const events = given.map(recorded)
    const start = () => Promise.all(events.map((event) => this.outcome(event)))
    const outcomes = await (holder === undefined ? start() : holder.handOver(start))
    this.delivered.push(...events.filter((_, i) => outcomes[i]?.status === 'delivered'))
    return outcomes
  }

  parked = false

  isParked(): boolean {
    return this.parked
  }

  async flush(): Promise<void> {
    this.calls.push('flush')
  }

  async close({ timeout }: { timeout?: number } = {}) {
    this.calls.push(timeout === undefined ? 'close' : `close ${timeout > 0 ? 'in time' : 'at once'}`)
    return { everything: { delivered: this.delivered.length, spilled: 0, failed: 0 } }
  }

  stats() {
    return {
      spilled: 0,
      unmapped: 0,
      off: 0,
      dropped: 0,
      delivered: this.delivered.length,
      failed: 0,
      streams: {},
    }
  }
}

/** The event as its record holds it. */
function recorded(event: SegmentEvent): SegmentEvent {
  if (!(event instanceof WritableEvent)) return event
  try {
    return JSON.parse(Buffer.from(event.toLine()).toString()) as SegmentEvent
  } catch {
    return event.toJSON()
  }
}

export function failure(code: FirehoseError['code'], message = `it is ${code}`): EventOutcome {
  return { status: 'failed', failures: [{ stream: 'everything', error: new FirehoseError(code, message) }] }
}
