import type { Destination } from '../plugin/destination.js'
import type { Source } from './source.js'

/** What waits for a place that is no longer forwarded to gets so long. */
const FORWARD_CLOSE_TIMEOUT_MS = 30_000

/** What sites that were replaced leave behind: it ends once nothing that began with it is under way. */
export class Retirement {
  readonly #answered: () => Promise<unknown>
  readonly #destinations = new Set<Destination>()

  /** @param answered - resolves when the requests that are under way now are answered */
  constructor(answered: () => Promise<unknown>) {
    this.#answered = answered
  }

  /** Destinations that are not closed yet. */
  get destinations(): readonly Destination[] {
    return [...this.#destinations]
  }

  /** Ends what of the retired sources no current one uses. */
  retire(retired: readonly Source[], current: readonly Source[]): void {
    const inUse = new Set<unknown>(current.flatMap(({ destination, forwarder }) => [destination, forwarder]))
    const forwarding = new Set(current.flatMap(({ id, forwarder }) => (forwarder === undefined ? [] : id)))
    for (const { id, forwarder } of retired) {
      if (forwarder === undefined || inUse.has(forwarder)) continue
      // A switch that is thrown to stop forwarding stops it at once; another way for it lets the old one end.
      if (forwarding.has(id)) void forwarder.close({ timeout: FORWARD_CLOSE_TIMEOUT_MS })
      else forwarder.discard()
    }
    for (const { destination } of retired) if (!inUse.has(destination)) this.#close(destination)
  }

  #close(destination: Destination): void {
    this.#destinations.add(destination)
    // Nobody comes any more whom what is queued could wait for.
    void destination.flush()
    const closed = this.#answered().then(() => destination.close())
    void closed.then(() => this.#destinations.delete(destination))
  }
}
