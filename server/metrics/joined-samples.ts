import type { Sample } from './metric.js'

/** One sample of each series, for several processes together. */
export function joinedSamples(samples: readonly Sample[]): Sample[] {
  const joined = new Map<string, Sample>()
  for (const sample of samples) {
    const series = seriesOf(sample)
    const other = joined.get(series)
    joined.set(series, other === undefined ? sample : { ...sample, value: joinedValue(sample, other) })
  }
  return [...joined.values()]
}

/** Equal for samples of the same series. All of a metric have the same labels, in the same order. */
export function seriesOf({ metric, labels }: Sample): string {
  return JSON.stringify([metric.name, ...Object.values(labels)])
}

function joinedValue({ metric, value }: Sample, other: Sample): number {
  return metric.aggregator === 'max' ? Math.max(value, other.value) : value + other.value
}
