import type { SegmentEvent } from '../../plugin/event.js'
import { type MappedRecord, type Mapper, type Mapping, mapperOf } from '../../plugin/mapper.js'
import type { DestinationConfiguration } from '../../plugin/settings/configuration.js'
import type { SourceConfiguration } from '../config/source-configuration.js'
import { eventFor, type ReplayEvent } from './replay-event.js'

/** Which events are replayed, and where to. */
export interface Selection {
  /** Those meant for this stream alone. */
  readonly stream?: string | undefined
  /** Not before, in ms since 1970. */
  readonly since?: number | undefined
  /** Before, in ms since 1970. */
  readonly until?: number | undefined
  /** The stream that gets them in place of theirs. */
  readonly to?: string | undefined
  /** ID of the source that sends them in place of theirs. */
  readonly source?: string | undefined
}

/** Why an event was not selected. */
export type SkipReason =
  | 'outside --since and --until'
  | 'without a time'
  | 'for another stream'
  | 'unknown write key'
  | 'still invalid'
  | 'source switched off'
  | 'in no row of mappedStreams'
  | 'switched off by integrations'
  | 'dropped by transform'

/** Why an event that was selected has nowhere to go. */
export type PlanFailure = 'no source' | 'source not in the config file' | 'no destination for its stream'

/** One record and the destination that carries it. */
export interface Send {
  readonly lane: Lane
  readonly record: MappedRecord
}

export type Plan =
  | { readonly skip: SkipReason }
  | { readonly fail: PlanFailure }
  | { readonly sends: readonly Send[]; readonly source: string }

/** One destination of a source. */
export interface Lane {
  readonly configuration: DestinationConfiguration
  readonly index: number
  readonly mapper: Mapper
  /** The mapper that sends all to one stream. */
  readonly mapperTo: (stream: string) => Mapper
}

const UNSENT: Readonly<Record<Exclude<Mapping['verdict'], 'mapped'>, SkipReason>> = {
  unmapped: 'in no row of mappedStreams',
  off: 'switched off by integrations',
  dropped: 'dropped by transform',
}

/** Decides of each event whether it goes, and where to. */
export class Planner {
  readonly #selection: Selection
  readonly #sources: ReadonlyMap<string, { configuration: SourceConfiguration; lanes: readonly Lane[] }>

  constructor(sources: readonly SourceConfiguration[], selection: Selection) {
    this.#selection = selection
    this.#sources = new Map(
      sources.map((configuration) => [
        configuration.id,
        { configuration, lanes: configuration.destinations.map(laneOf) },
      ]),
    )
  }

  get lanes(): readonly Lane[] {
    return [...this.#sources.values()].flatMap(({ lanes }) => lanes)
  }

  /** @param fileStream - what the file's name says of all its records */
  plan(given: ReplayEvent, fileStream: string | undefined): Plan {
    const late = this.#outOfTime(given)
    if (late !== undefined) return { skip: late }
    const sourceId = this.#selection.source ?? given.sourceId
    if (sourceId === undefined) {
      return given.refused?.isOfNoSource ? { skip: 'unknown write key' } : { fail: 'no source' }
    }
    const source = this.#sources.get(sourceId)
    if (source === undefined) return { fail: 'source not in the config file' }
    if (!source.configuration.enabled) return { skip: 'source switched off' }
    const event = eventFor(given, source.configuration)
    if (event === 'invalid') return { skip: 'still invalid' }
    const sends = this.#sendsOf(event, given.stream ?? fileStream, source.lanes)
    return 'sends' in sends ? { ...sends, source: source.configuration.name } : sends
  }

  #outOfTime({ time }: ReplayEvent): SkipReason | undefined {
    const { since = Number.NEGATIVE_INFINITY, until = Number.POSITIVE_INFINITY } = this.#selection
    if (this.#selection.since === undefined && this.#selection.until === undefined) return undefined
    if (time === undefined) return 'without a time'
    return time >= since && time < until ? undefined : 'outside --since and --until'
  }

  #sendsOf(event: SegmentEvent, known: string | undefined, lanes: readonly Lane[]) {
    const { stream, to } = this.#selection
    if (stream !== undefined && known !== undefined && known !== stream)
      return { skip: 'for another stream' } as const
    const isMeant = ({ record }: Send) =>
      stream === undefined || record.stream === stream || record.error !== undefined
    if (to !== undefined) {
      const isSelected = stream === undefined || known !== undefined || mapped(event, lanes).some(isMeant)
      return isSelected ? toStream(event, to, lanes) : ({ skip: 'for another stream' } as const)
    }
    if (known !== undefined) return toStream(event, known, lanes)
    const sends = mapped(event, lanes)
    const meant = sends.filter(isMeant)
    if (meant.length > 0) return { sends: meant }
    return { skip: sends.length > 0 ? 'for another stream' : whyNot(event, lanes) } as const
  }
}

function laneOf(configuration: DestinationConfiguration, index: number): Lane {
  const byStream = new Map<string, Mapper>()
  const mapperTo = (stream: string) => {
    const known = byStream.get(stream)
    if (known !== undefined) return known
    const mapper = mapperOf({ ...configuration, mapping: [{ event: '*', stream }] })
    byStream.set(stream, mapper)
    return mapper
  }
  return { configuration, index, mapper: mapperOf(configuration), mapperTo }
}

function mapped(event: SegmentEvent, lanes: readonly Lane[]): Send[] {
  return lanes.flatMap((lane) => lane.mapper(event).map((record) => ({ lane, record })))
}

function whyNot(event: SegmentEvent, lanes: readonly Lane[]): SkipReason {
  const verdict = lanes[0]?.mapper.explain(event).verdict
  return UNSENT[verdict === undefined || verdict === 'mapped' ? 'unmapped' : verdict]
}

/** To one stream, by the destinations that map to it; a source's only one may write to others as well. */
function toStream(event: SegmentEvent, stream: string, lanes: readonly Lane[]) {
  const naming = lanes.filter(({ mapper }) => mapper.streams.includes(stream))
  const carriers = naming.length > 0 || lanes.length > 1 ? naming : lanes
  const [first] = carriers
  if (first === undefined) return { fail: 'no destination for its stream' } as const
  const sends = carriers.flatMap((lane) =>
    lane
      .mapperTo(stream)(event)
      .map((record) => ({ lane, record })),
  )
  if (sends.length > 0) return { sends }
  const { verdict } = first.mapperTo(stream).explain(event)
  return { skip: UNSENT[verdict === 'mapped' ? 'unmapped' : verdict] } as const
}
