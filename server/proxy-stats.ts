import type { ClientPool, ClientPoolStats } from '../plugin/aws/client-pool.js'
import type { DeadLetterStore, DeadLetterUsage } from '../plugin/dead-letters/dead-letter.js'
import type { ByteBudget } from '../plugin/delivery/byte-budget.js'
import type { DestinationStats } from '../plugin/destination.js'
import type { OpenSpill } from '../plugin/spill/open-spill.js'
import type { SpillStats } from '../plugin/spill/spill.js'
import type { ForwarderStats } from './forward/forwarder.js'
import type { MemoryAdmission } from './http/memory-admission.js'
import type { RequestCounts, Responder } from './http/responder.js'
import type { Intake } from './intake/intake.js'
import type { Source } from './source.js'

/**
 * Counts of one source, and how it stands now. Each is counted since the start, or since a reload changed the settings
 * of what counts: another destination, `dedupe` or `forward` begins at zero.
 */
export interface SourceStats extends DestinationStats {
  /** Events that were not delivered because they had been: the same `messageId` came again. */
  readonly duplicates: number
  /** Bytes of its dead letters, where they are kept in a directory. */
  readonly deadLetterBytes?: number
  /** Requests handed on to Segment, where `forward` is set. */
  readonly forwarding?: ForwarderStats
}

/**
 * Counts since the start, but for those of {@link SourceStats}, and how it stands now. No name and no number in it is a
 * secret.
 */
export interface ProxyStats {
  /** By answer. */
  readonly requests: RequestCounts
  /** The same by status, such as `503`. */
  readonly requestsByStatus: Readonly<Record<string, number>>
  /** Events given up for good: invalid, or refused by Firehose. */
  readonly quarantined: number
  /** Bytes in the directory of dead letters, where there is one. */
  readonly deadLetterBytes?: number
  /** Bytes held now, of requests and of records. */
  readonly bufferedBytes: number
  /** Of these, the bytes of requests whose bodies are still coming. */
  readonly receivingBytes: number
  /** The AWS clients that all sources share. */
  readonly clients: ClientPoolStats
  /** What waits in the spill, where there is one. */
  readonly spill?: SpillStats
  /** By the names of the sources of now. */
  readonly sources: Readonly<Record<string, SourceStats>>
}

/** What counts. */
export interface Counting {
  readonly responder: Pick<Responder, 'counts' | 'countsByStatus'>
  readonly intake: Pick<Intake, 'quarantined'>
  readonly budget: Pick<ByteBudget, 'used'>
  readonly memory: Pick<MemoryAdmission, 'receivingBytes'>
  readonly pool: Pick<ClientPool, 'stats'>
  readonly spill?: OpenSpill | undefined
  readonly deadLetters: DeadLetterStore | undefined
}

export function proxyStats(
  { responder, intake, budget, memory, pool, spill, deadLetters }: Counting,
  sources: readonly Source[],
): ProxyStats {
  const letters = deadLetters?.usage?.()
  return {
    requests: responder.counts,
    requestsByStatus: responder.countsByStatus,
    quarantined: intake.quarantined,
    ...(letters === undefined ? {} : { deadLetterBytes: letters.bytes }),
    bufferedBytes: budget.used,
    receivingBytes: memory.receivingBytes,
    clients: pool.stats(),
    ...(spill === undefined ? {} : { spill: spill.store.stats() }),
    sources: Object.fromEntries(sources.map((source) => [source.name, sourceStats(source, letters)])),
  }
}

function sourceStats(
  { id, destination, duplicates, forwarder }: Source,
  letters: DeadLetterUsage | undefined,
): SourceStats {
  return {
    ...destination.stats(),
    duplicates: duplicates?.duplicates ?? 0,
    ...(letters === undefined ? {} : { deadLetterBytes: letters.bySource.get(id) ?? 0 }),
    ...(forwarder === undefined ? {} : { forwarding: forwarder.stats() }),
  }
}
