import type { Cleanup } from './cleanup.js'
import { type Part, type PartName, startPart } from './part.js'
import type { LoadOptions, Sent } from './parts/load.js'
import type { StubOptions, Tally } from './parts/stub.js'
import { mebibytes, spread, wholeNumber } from './report.js'
import type { Measure, Measures, Subject } from './rounds.js'
import { FIGURES } from './rounds.js'

export interface Listening {
  readonly part: Part
  readonly url: string
}

/** Starts one of `parts/` that listens. */
export async function startListening(name: PartName, options: object, cleanup: Cleanup): Promise<Listening> {
  const { part, ready } = await startPart<{ url: string }>(name, options)
  cleanup.defer(() => part.stop())
  return { part, url: ready.url }
}

export function startStub(options: StubOptions, cleanup: Cleanup): Promise<Listening> {
  return startListening('stub', options, cleanup)
}

export async function startLoad(options: LoadOptions, cleanup: Cleanup): Promise<Part> {
  const { part } = await startPart('load', options)
  cleanup.defer(() => part.stop())
  return part
}

interface UnderLoad {
  readonly load: Part
  /** Where the server delivers to. */
  readonly stub: Part
  /** Records that become of an event. @default 1 */
  readonly recordsPerEvent?: number
}

/** A server as a subject: its work is what the load sends it. */
export function underLoad(
  name: string,
  { part, url }: Listening,
  { load, stub, recordsPerEvent = 1 }: UnderLoad,
): Subject {
  return {
    name,
    part,
    async work(seconds) {
      const before = await stub.ask<Tally>('tally')
      const sent = await load.ask<Sent>('run', { url, seconds })
      const { records } = await stub.ask<Tally>('tally')
      check(name, sent, (records - before.records) / recordsPerEvent)
      return sent
    },
  }
}

/** A server that refuses is not fast, nor is one that does not deliver. */
function check(name: string, { failures, events }: Sent, delivered: number): void {
  const failed = Object.entries(failures).map(([status, count]) => `${count} × ${status}`)
  if (failed.length === 0 && events > 0 && delivered === events) return
  throw new Error(
    `${name} took ${events} events and delivered ${delivered}; other answers: ${failed.join(', ') || 'none'}`,
  )
}

/** A row for each subject. */
export function measuresTable(measures: Measures): string[][] {
  const columns: (keyof Measure)[] = ['perSecond', 'perCpuSecond', 'peakRssBytes']
  const rows = [...measures].map(([name, rounds]) => [
    name,
    spread(
      rounds.map(({ perSecond }) => perSecond),
      wholeNumber,
    ),
    spread(
      rounds.map(({ perCpuSecond }) => perCpuSecond),
      wholeNumber,
    ),
    mebibytes(Math.max(...rounds.map(({ peakRssBytes }) => peakRssBytes))),
  ])
  return [['', ...columns.map((column) => FIGURES[column])], ...rows]
}
