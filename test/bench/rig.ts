import type { Cleanup } from './cleanup.js'
import { type Part, type PartName, startPart } from './part.js'
import type { LoadOptions, Sent } from './parts/load.js'
import type { StubOptions, Tally } from './parts/stub.js'
import { mebibytes, spread, wholeNumber } from './report.js'
import { FIGURES, type Measure, type Measures, type Subject } from './rounds.js'

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
}

/** A server as a subject: its work is what the load sends it. */
export function underLoad(name: string, { part, url }: Listening, { load, stub }: UnderLoad): Subject {
  return {
    name,
    part,
    async work(seconds) {
      const before = await stub.ask<Tally>('tally')
      const sent = await load.ask<Sent>('run', { url, seconds })
      const { records } = await stub.ask<Tally>('tally')
      checkSent(name, sent)
      const delivered = records - before.records
      // Nor is one fast that does not deliver.
      if (delivered !== sent.events)
        throw new Error(`${name} delivered ${delivered} of ${sent.events} events`)
      return sent
    },
  }
}

/** A server that refuses is not fast. @throws where a request was answered other than with 200 */
export function checkSent(name: string, { failures, events, unsent }: Sent): void {
  const failed = Object.entries(failures).map(([status, count]) => `${count} × ${status}`)
  if (failed.length === 0 && events > 0 && unsent === 0) return
  const others = failed.join(', ') || 'none'
  throw new Error(`${name} took ${events} events; other answers: ${others}; not sent: ${unsent} requests`)
}

export interface SubjectOptions {
  readonly name: string
  readonly program: PartName
  readonly options: object
  /** What to ask it for, to let it work. */
  readonly work: (seconds: number) => { readonly command: string; readonly input: object }
}

/** A part as a subject that works by itself. */
export async function startSubject(
  { name, program, options, work }: SubjectOptions,
  cleanup: Cleanup,
): Promise<Subject> {
  const { part } = await startPart(program, options)
  cleanup.defer(() => part.stop())
  return {
    name,
    part,
    work(seconds) {
      const { command, input } = work(seconds)
      return part.ask(command, input)
    },
  }
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
