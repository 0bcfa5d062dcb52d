import type { SegmentEvent } from './event.js'
import type { MappingRow } from './settings/mapped-streams.js'
import type { Routing } from './settings/settings.js'

export interface Router {
  /** The streams an event goes to, each once, in row order. */
  route(event: SegmentEvent): readonly string[]
  /** Every stream of the table, each once, in row order. */
  readonly streams: readonly string[]
}

/** Where a row stands in the table, and the stream it names. */
interface Target {
  readonly row: number
  readonly stream: string
}

const NO_TARGETS: readonly Target[] = []

/** Looks events up in the table of rows; what can be merged beforehand is. */
export function createRouter(rows: readonly MappingRow[], routing: Routing): Router {
  const byKey = new Map<string, Target[]>()
  rows.forEach(({ event, stream }, row) => {
    const targets = byKey.get(event)
    if (targets === undefined) byKey.set(event, [{ row, stream }])
    else targets.push({ row, stream })
  })
  const forAll = byKey.get('*') ?? NO_TARGETS
  const toAll = streamsOf(forAll)
  const lookUp = (key: unknown) =>
    (typeof key === 'string' ? byKey.get(key.trim().toLowerCase()) : undefined) ?? NO_TARGETS

  const route = (event: SegmentEvent): readonly string[] => {
    const named = lookUp(event?.event)
    const typed = lookUp(event?.type)
    if (named === NO_TARGETS && typed === NO_TARGETS) return toAll
    if (routing === 'most-specific') return streamsOf(named !== NO_TARGETS ? named : typed)
    return streamsOf(merge(named, typed, forAll))
  }

  return { route, streams: streamsOf(rows.map(({ stream }, row) => ({ row, stream }))) }
}

function merge(...lists: (readonly Target[])[]): Target[] {
  return lists.flat().sort((a, b) => a.row - b.row)
}

function streamsOf(targets: readonly Target[]): string[] {
  return [...new Set(targets.map((target) => target.stream))]
}
