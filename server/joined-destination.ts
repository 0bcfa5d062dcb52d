import type { DeliveryFailure, Destination, DestinationStats, EventOutcome } from '../plugin/destination.js'

/** Several destinations as one: an event is delivered when it is in all of them that want it. */
export function joined(destinations: readonly Destination[]): Destination {
  const [only] = destinations
  return destinations.length === 1 && only !== undefined ? only : new JoinedDestination(destinations)
}

class JoinedDestination implements Destination {
  readonly #all: readonly Destination[]
  readonly #counts = { delivered: 0, spilled: 0, failed: 0, unmapped: 0, off: 0, dropped: 0 }

  constructor(all: readonly Destination[]) {
    this.#all = all
  }

  async deliver(...given: Parameters<Destination['deliver']>): Promise<EventOutcome[]> {
    const [events] = given
    const byDestination = await Promise.all(this.#all.map((it) => it.deliver(...given)))
    return events.map((_, i) => {
      const outcome = joinedOutcome(byDestination.flatMap((outcomes) => outcomes[i] ?? []))
      this.#counts[outcome.status]++
      return outcome
    })
  }

  isParked(): boolean {
    return this.#all.every((it) => it.isParked())
  }

  async flush(): Promise<void> {
    await Promise.all(this.#all.map((it) => it.flush()))
  }

  async close(options?: Parameters<Destination['close']>[0]) {
    return numbered(await Promise.all(this.#all.map((it) => it.close(options))))
  }

  stats(): DestinationStats {
    return { ...this.#counts, streams: numbered(this.#all.map((it) => it.stats().streams)) }
  }
}

/** What failed anywhere failed; what arrived anywhere, and failed nowhere, is delivered. */
function joinedOutcome(outcomes: readonly EventOutcome[]): EventOutcome {
  const failures = outcomes.flatMap((it): readonly DeliveryFailure[] =>
    it.status === 'failed' ? it.failures : [],
  )
  if (failures.length > 0) return { status: 'failed', failures }
  const found = (['spilled', 'delivered'] as const).find((it) => outcomes.some(({ status }) => status === it))
  return found === undefined ? (outcomes[0] ?? { status: 'unmapped' }) : { status: found }
}

/** Two destinations may have streams of the same name: `destination[1].everything`. */
function numbered<T>(streams: readonly Readonly<Record<string, T>>[]): Record<string, T> {
  return Object.fromEntries(
    streams.flatMap((own, i) =>
      Object.entries(own).map(([stream, value]) => [`destination[${i}].${stream}`, value] as const),
    ),
  )
}
