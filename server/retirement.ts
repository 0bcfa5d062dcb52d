import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import type { CloseOptions } from '../plugin/delivery/delivery.js'
import type { Destination } from '../plugin/destination.js'
import type { Forwarder } from './forward/forwarder.js'
import { type ProxyReport, ReportSums } from './proxy-report.js'
import type { Source } from './source.js'

/** What waits for a place that is no longer forwarded to gets so long. */
const FORWARD_CLOSE_TIMEOUT_MS = 30_000

/**
 * What sites that were replaced leave behind: it ends once nothing that began with it is under way. What became of its
 * records stays, as sums by the names of sources and streams.
 */
export class Retirement {
  readonly #answered: () => Promise<unknown>
  /** With the names of their sources. */
  readonly #destinations = new Map<Destination, string>()
  readonly #forwarders = new Set<Forwarder>()
  /** Of destinations that are closed. */
  readonly #sums = new ReportSums()

  /** @param answered - resolves when the requests that are under way now are answered */
  constructor(answered: () => Promise<unknown>) {
    this.#answered = answered
  }

  /** Destinations that are not closed yet. */
  get destinations(): readonly Destination[] {
    return [...this.#destinations.keys()]
  }

  /** Ends what of the retired sources no current one uses. */
  retire(retired: readonly Source[], current: readonly Source[]): void {
    const inUse = new Set<unknown>(current.flatMap(({ destination, forwarder }) => [destination, forwarder]))
    const forwarding = new Set(current.flatMap(({ id, forwarder }) => (forwarder === undefined ? [] : id)))
    const ended: Destination[] = []
    for (const { id, name, destination, unmapped, forwarder } of retired) {
      if (!inUse.has(destination)) {
        this.#destinations.set(destination, name)
        unmapped.flush()
        ended.push(destination)
      }
      if (forwarder === undefined || inUse.has(forwarder)) continue
      // A switch that is thrown to stop forwarding stops it at once; another way for it lets the old one end.
      if (forwarding.has(id)) this.#closeForwarder(forwarder, FORWARD_CLOSE_TIMEOUT_MS).catch(ignored)
      else forwarder.discard()
    }
    if (ended.length > 0) this.#endDestinations(ended).catch(ignored)
  }

  /** Ends in so many ms what has not ended yet, and resolves to what became of the records of all that was retired. */
  async close({ timeout }: { readonly timeout: number }): Promise<ProxyReport> {
    await Promise.all([
      ...this.destinations.map((it) => this.#closeDestination(it, { timeout })),
      ...[...this.#forwarders].map((it) => this.#closeForwarder(it, timeout)),
    ])
    return this.#sums.report
  }

  /** Flushes them, as no new events can join their batches, and closes them once all requests that use them are answered. */
  async #endDestinations(ended: readonly Destination[]): Promise<void> {
    const answered = this.#answered()
    await inSlices(ended, (destination) => void destination.flush().catch(ignored))
    await answered
    await inSlices(ended, (destination) => void this.#closeDestination(destination).catch(ignored))
  }

  async #closeDestination(destination: Destination, options?: CloseOptions): Promise<void> {
    const report = await destination.close(options)
    const name = this.#destinations.get(destination)
    // Whoever else has waited for this was first.
    if (name === undefined) return
    this.#destinations.delete(destination)
    this.#sums.add(name, report)
  }

  async #closeForwarder(forwarder: Forwarder, timeout: number): Promise<void> {
    this.#forwarders.add(forwarder)
    await forwarder.close({ timeout })
    this.#forwarders.delete(forwarder)
  }
}

/** A reload may change thousands of sources at once: requests must not wait for all of them. */
const SLICE = 100

async function inSlices<T>(all: readonly T[], act: (one: T) => void): Promise<void> {
  for (let start = 0; start < all.length; start += SLICE) {
    if (start > 0) await turnOfTheLoop()
    for (const one of all.slice(start, start + SLICE)) act(one)
  }
}

/** Ignores a failure here: `close` tries the same again, and rejects to its caller. */
function ignored(): void {}
