/** What the page has under one name. */
export interface Metric {
  /** Without the prefix that all have. */
  readonly name: string
  readonly type: 'counter' | 'gauge'
  readonly help: string
  /** How the values of several processes make one: `max` where each tells the same of what they share. */
  readonly aggregator: 'sum' | 'max'
}

export interface Sample {
  readonly metric: Metric
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** What only grows. */
export function counter(name: `${string}_total`, help: string): Metric {
  return { name, help, type: 'counter', aggregator: 'sum' }
}

/** How something stands. */
export function gauge(name: string, help: string, aggregator: Metric['aggregator'] = 'sum'): Metric {
  return { name, help, type: 'gauge', aggregator }
}
