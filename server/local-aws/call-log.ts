import { LRUCache } from 'lru-cache'
import type { LocalAwsCall, LocalAwsStats } from './call.js'

/** Streams can be made and deleted without end; of more than these the counts of those idle longest are dropped. */
const MAX_COUNTED_STREAMS = 10_000

/** Counts calls and records. The calls themselves are not kept. */
export class CallLog {
  readonly #calls = new Map<string, number>()
  readonly #records = new LRUCache<string, number>({ max: MAX_COUNTED_STREAMS })

  /** `action` is always one of the few that exist, or `Unknown`. */
  call({ action }: Pick<LocalAwsCall, 'action'>): void {
    this.#calls.set(action, (this.#calls.get(action) ?? 0) + 1)
  }

  record(stream: string): void {
    this.#records.set(stream, (this.#records.get(stream) ?? 0) + 1)
  }

  stats(): LocalAwsStats {
    return {
      calls: Object.fromEntries(this.#calls),
      records: Object.fromEntries(this.#records.entries()),
    }
  }
}
