import { joinedSamples, seriesOf } from './joined-samples.js'
import type { Sample } from './metric.js'

interface Told {
  readonly pid: number
  readonly counters: ReadonlyMap<string, Sample>
}

/**
 * Sums of the workers' counters that do not go back where one worker begins at zero again, is replaced, or is not
 * heard of: Prometheus's `rate()` would take the whole sum for new. What a worker counted between its last answer and
 * its end is not in them.
 */
export class WorkerTotals {
  /** What the worker at each place told last. */
  readonly #told = new Map<number, Told>()
  /** Of counters that have begun anew, or are gone: what they told last. */
  #past: readonly Sample[] = []

  take(place: number, pid: number, samples: readonly Sample[]): void {
    const counters = new Map(samples.map((sample) => [seriesOf(sample), sample]))
    const before = this.#told.get(place)
    const hasBegunAnew = ({ value }: Sample, series: string) =>
      before?.pid !== pid || (counters.get(series)?.value ?? 0) < value
    const past = [...(before?.counters ?? [])].filter(([series, sample]) => hasBegunAnew(sample, series))
    this.#past = joinedSamples([...this.#past, ...past.map(([, sample]) => sample)])
    this.#told.set(place, { pid, counters })
  }

  samples(): Sample[] {
    const now = [...this.#told.values()].flatMap(({ counters }) => [...counters.values()])
    // Sources that are gone, else each name there ever was would stay in memory.
    const sources = new Set(now.map(({ labels }) => labels['source']))
    this.#past = this.#past.filter(({ labels }) => sources.has(labels['source']))
    return joinedSamples([...this.#past, ...now])
  }
}
