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
interface Route {
  readonly row: number
  readonly stream: string
}

/** Of the names of real events, at least. */
const USUAL_LENGTH = 256

const NO_ROUTES: readonly Route[] = []

/** Only track events have a name: the `event` of a page call is just another member. */
const UNNAMED_TYPES: ReadonlySet<string> = new Set(['page', 'screen', 'identify', 'group', 'alias'])

/** Looks events up in the table of rows; what can be merged beforehand is. */
export function createRouter(rows: readonly MappingRow[], routing: Routing): Router {
  const byKey = new Map<string, Route[]>()
  rows.forEach(({ event, stream }, row) => {
    const routes = byKey.get(event)
    if (routes === undefined) byKey.set(event, [{ row, stream }])
    else routes.push({ row, stream })
  })
  const forAll = byKey.get('*') ?? NO_ROUTES
  const toAll = streamsOf(forAll)
  const longest = rows.reduce((length, { event }) => Math.max(length, event.length), USUAL_LENGTH)
  const lookUp = (key: unknown): readonly Route[] => {
    const name = typeof key === 'string' ? key.trim() : ''
    // SECURITY: no text becomes shorter in lower case, and one of megabytes need not be copied.
    if (name === '' || name.length > longest) return NO_ROUTES
    return byKey.get(name.toLowerCase()) ?? NO_ROUTES
  }

  const chosen = (named: readonly Route[], typed: readonly Route[]) => {
    if (routing === 'most-specific') return named !== NO_ROUTES ? named : typed
    return merge(named, typed, forAll)
  }
  /** By the routes of the name and those of the type, which are few pairs: each is put together once. */
  const known = new Map<readonly Route[], Map<readonly Route[], readonly string[]>>()

  const route = (event: SegmentEvent): readonly string[] => {
    const type = event?.type
    const typed = lookUp(type)
    const named = isUnnamed(type) ? NO_ROUTES : lookUp(event?.event)
    if (named === NO_ROUTES && typed === NO_ROUTES) return toAll
    const ofNamed = known.get(named) ?? new Map<readonly Route[], readonly string[]>()
    const streams = ofNamed.get(typed) ?? streamsOf(chosen(named, typed))
    known.set(named, ofNamed.set(typed, streams))
    return streams
  }

  return { route, streams: streamsOf(rows.map(({ stream }, row) => ({ row, stream }))) }
}

function isUnnamed(type: unknown): boolean {
  return typeof type === 'string' && UNNAMED_TYPES.has(type.trim().toLowerCase())
}

function merge(...lists: (readonly Route[])[]): Route[] {
  return lists.flat().sort((a, b) => a.row - b.row)
}

function streamsOf(routes: readonly Route[]): string[] {
  return [...new Set(routes.map(({ stream }) => stream))]
}
