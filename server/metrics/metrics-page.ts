import { exposition } from './exposition.js'
import { joinedSamples } from './joined-samples.js'
import type { ServeMeasures } from './measures.js'
import { proxySamples } from './proxy-samples.js'
import { workerSamples } from './worker-samples.js'
import { WorkerTotals } from './worker-totals.js'

/** The page for all processes that serve. Nothing is counted for it: they are asked when the page is asked for. */
export class MetricsPage {
  readonly #measure: () => Promise<ServeMeasures>
  readonly #totals = new WorkerTotals()
  #underWay: Promise<string> | undefined

  constructor(measure: () => Promise<ServeMeasures>) {
    this.#measure = measure
  }

  /** Whoever asks meanwhile gets the same: however many ask, there is one question under way. */
  text(): Promise<string> {
    this.#underWay ??= this.#text().finally(() => {
      this.#underWay = undefined
    })
    return this.#underWay
  }

  async #text(): Promise<string> {
    const measured = await this.#measure()
    const gauges = measured.workers.flatMap((measures, place) => {
      if (measures === undefined) return []
      const samples = proxySamples(measures)
      const counters = samples.filter(({ metric }) => metric.type === 'counter')
      this.#totals.take(place, measures.pid, counters)
      return samples.filter(({ metric }) => metric.type === 'gauge')
    })
    return exposition([...workerSamples(measured), ...this.#totals.samples(), ...joinedSamples(gauges)])
  }
}
