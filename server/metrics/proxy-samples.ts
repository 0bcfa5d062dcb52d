import type { StreamStats } from '../../plugin/delivery/stats.js'
import type { SpillStats } from '../../plugin/spill/spill.js'
import type { ForwarderStats } from '../forward/forwarder.js'
import type { SourceStats } from '../proxy-stats.js'
import type { WorkerMeasures } from './measures.js'
import { counter, gauge, type Metric, type Sample } from './metric.js'

/** Metrics, and where each is read in what was counted. */
type Readings<T> = readonly (readonly [Metric, (of: T) => number])[]

const REQUESTS = counter('requests_total', 'Requests answered, by status.')
const EVENTS = counter('events_total', "Events that a source's requests brought, by what became of them.")
/** Each worker tells of the whole directory, which they share. */
const DEAD_LETTERS = gauge('dead_letter_bytes', 'Bytes in the directory of dead letters.', 'max')
const SOURCE_DEAD_LETTERS = gauge('source_dead_letter_bytes', "Bytes of a source's dead letters.", 'max')
const CIRCUITS = gauge('circuit_workers', "Workers in which the stream's circuit is in this state.")
const APIS = gauge('api_workers', 'Workers that call the stream by this API.')

const PROXY: Readings<WorkerMeasures> = [
  [
    counter('quarantined_events_total', 'Events given up for good: invalid, or refused by Firehose.'),
    ({ stats }) => stats.quarantined,
  ],
  [
    gauge('buffered_bytes', 'Bytes held in memory, of requests and of records.'),
    ({ stats }) => stats.bufferedBytes,
  ],
  [
    gauge('receiving_bytes', 'Bytes held in memory of requests whose bodies are still coming.'),
    ({ stats }) => stats.receivingBytes,
  ],
  [
    gauge('buffer_capacity_bytes', 'Bytes that may be held in memory.'),
    ({ maxBufferedBytes }) => maxBufferedBytes,
  ],
  [gauge('aws_clients', 'AWS clients held.'), ({ stats }) => stats.clients.clients],
  [
    counter('aws_client_evictions_total', 'AWS clients that had to make room for others.'),
    ({ stats }) => stats.clients.evictions,
  ],
  [
    counter('assume_role_calls_total', 'AssumeRole calls made.'),
    ({ stats }) => stats.clients.assumeRoleCalls,
  ],
]

const STREAM: Readings<StreamStats> = [
  [counter('records_delivered_total', 'Records that have their RecordId.'), (it) => it.delivered],
  [
    counter('records_spilled_total', 'Records that went to the spill, to be sent from there.'),
    (it) => it.spilled,
  ],
  [counter('records_failed_total', 'Records that failed for good.'), (it) => it.failed],
  [
    counter('records_resent_total', 'Records sent again because Firehose did not take them before.'),
    (it) => it.resent,
  ],
  [counter('calls_total', 'Calls of Firehose made.'), (it) => it.calls],
  [gauge('queued_records', 'Records waiting or under way.'), (it) => it.queued],
  [gauge('queued_bytes', 'Bytes of the records waiting or under way.'), (it) => it.queuedBytes],
  [gauge('calls_in_flight', 'Calls of Firehose that wait for their answer.'), (it) => it.callsInFlight],
]

const FORWARDING: Readings<ForwarderStats> = [
  [counter('forwarded_requests_total', 'Requests taken by Segment.'), (it) => it.forwarded],
  [counter('forward_dropped_requests_total', 'Requests not handed on to Segment.'), (it) => it.dropped],
  [counter('forward_retries_total', 'Tries after the first.'), (it) => it.retried],
  [gauge('forward_queued_requests', 'Requests waiting for Segment or under way.'), (it) => it.queued],
  [
    gauge('forward_queued_bytes', 'Bytes of the requests waiting for Segment or under way.'),
    (it) => it.queuedBytes,
  ],
]

/** Each worker tells of all that is in the spill, which they share. */
const SPILL: Readings<SpillStats> = [
  [gauge('spill_files', 'Files or messages in the spill.', 'max'), (it) => it.files],
  [gauge('spill_records', 'Records in the spill.', 'max'), (it) => it.records],
  [gauge('spill_bytes', 'Bytes in the spill.', 'max'), (it) => it.bytes],
  [
    gauge('spill_oldest_age_seconds', 'Age of the oldest record in the spill; 0 where there is none.', 'max'),
    ({ oldestAgeMs = 0 }) => oldestAgeMs / 1e3,
  ],
]

const OUTCOMES = ['delivered', 'spilled', 'failed', 'unmapped', 'off', 'dropped'] as const
const CIRCUIT_STATES = ['closed', 'open', 'half-open'] as const satisfies readonly StreamStats['circuit'][]
const API_NAMES = ['PutRecord', 'PutRecordBatch'] as const satisfies readonly StreamStats['api'][]

/** What one process that serves has counted, and how it stands. */
export function proxySamples(measures: WorkerMeasures): Sample[] {
  const { requestsByStatus, deadLetterBytes, spill, sources } = measures.stats
  return [
    ...Object.entries(requestsByStatus).map(([status, value]) => sample(REQUESTS, { status }, value)),
    ...samplesOf(PROXY, measures, {}),
    ...optional(DEAD_LETTERS, {}, deadLetterBytes),
    ...(spill === undefined ? [] : samplesOf(SPILL, spill, {})),
    ...Object.entries(sources).flatMap(([source, stats]) => sourceSamples(source, stats)),
  ]
}

function sourceSamples(source: string, stats: SourceStats): Sample[] {
  const { duplicates, deadLetterBytes, forwarding, streams } = stats
  return [
    ...OUTCOMES.map((outcome) => sample(EVENTS, { source, outcome }, stats[outcome])),
    sample(EVENTS, { source, outcome: 'duplicate' }, duplicates),
    ...optional(SOURCE_DEAD_LETTERS, { source }, deadLetterBytes),
    ...(forwarding === undefined ? [] : samplesOf(FORWARDING, forwarding, { source })),
    ...Object.entries(streams).flatMap(([stream, of]) => streamSamples({ source, stream }, of)),
  ]
}

function streamSamples(labels: Sample['labels'], stats: StreamStats): Sample[] {
  return [
    ...samplesOf(STREAM, stats, labels),
    ...CIRCUIT_STATES.map((state) => sample(CIRCUITS, { ...labels, state }, flag(stats.circuit, state))),
    ...API_NAMES.map((api) => sample(APIS, { ...labels, api }, flag(stats.api, api))),
  ]
}

function flag<T>(actual: T, state: T): number {
  return actual === state ? 1 : 0
}

function samplesOf<T>(readings: Readings<T>, of: T, labels: Sample['labels']): Sample[] {
  return readings.map(([metric, read]) => sample(metric, labels, read(of)))
}

function optional(metric: Metric, labels: Sample['labels'], value: number | undefined): Sample[] {
  return value === undefined ? [] : [sample(metric, labels, value)]
}

function sample(metric: Metric, labels: Sample['labels'], value: number): Sample {
  return { metric, labels, value }
}
