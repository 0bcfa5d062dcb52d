import type { Part } from './part.js'
import type { Ratio } from './report.js'

/** One of those that are compared. */
export interface Subject {
  readonly name: string
  /** Whose CPU time and memory count. */
  readonly part: Part
  /** Lets it work for a while. @returns events that are done, and in how many seconds */
  readonly work: (seconds: number) => Promise<{ readonly events: number; readonly seconds: number }>
}

/** What a subject did in a round. */
export interface Measure {
  readonly perSecond: number
  readonly perCpuSecond: number
  readonly peakRssBytes: number
}

/** By the subject's name, a measure for each round. */
export type Measures = ReadonlyMap<string, readonly Measure[]>

/** What has just started does a quarter of what it does once V8 has compiled what runs often. */
const WARM_UP_SECONDS = 10

export interface RoundOptions {
  readonly rounds: number
  readonly seconds: number
  /** @default 10 */
  readonly warmUpSeconds?: number
}

/** Lets the subjects work in turn, A B A B: what slows the machine for a while slows them all. */
export async function interleave(
  subjects: readonly Subject[],
  { rounds, seconds, warmUpSeconds = WARM_UP_SECONDS }: RoundOptions,
): Promise<Measures> {
  const measures = new Map<string, Measure[]>(subjects.map(({ name }) => [name, []]))
  for (const { work } of subjects) await work(warmUpSeconds)
  for (let round = 0; round < rounds; round++) {
    for (const subject of subjects) measures.get(subject.name)?.push(await measure(subject, seconds))
  }
  return measures
}

export async function measure({ part, work }: Subject, seconds: number): Promise<Measure> {
  const before = await part.usage()
  const done = await work(seconds)
  const { cpuMs, peakRssBytes } = await part.usage()
  return {
    perSecond: done.events / done.seconds,
    perCpuSecond: (done.events * 1_000) / (cpuMs - before.cpuMs),
    peakRssBytes,
  }
}

/** A goal, as the ratio of two subjects. */
export interface Goal {
  readonly of: string
  readonly to: string
  readonly figure: keyof Measure
  readonly atLeast?: number
  readonly atMost?: number
}

/** The ratio in each round: both were measured within moments of each other. */
export function ratioOf(measures: Measures, { of, to, figure, ...goal }: Goal): Ratio {
  const others = measures.get(to) ?? []
  const values = (measures.get(of) ?? []).map(
    (measure, i) => measure[figure] / (others[i]?.[figure] ?? Number.NaN),
  )
  return { name: `${of} / ${to}: ${FIGURES[figure]}`, values, ...goal }
}

export const FIGURES: Readonly<Record<keyof Measure, string>> = {
  perSecond: 'events/s',
  perCpuSecond: 'events per CPU-second',
  peakRssBytes: 'peak RSS',
}
