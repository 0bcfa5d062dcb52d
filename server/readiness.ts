import type { ByteBudget } from '../plugin/delivery/byte-budget.js'
import type { Sources } from './sources.js'

/**
 * Bytes that a usual request can take: a batch of 500 KB, the largest that Segment's API takes and its SDKs send, and as
 * much again for its compressed form or for what its records need beside their data. With less room than this, the
 * proxy turns away requests that nothing is wrong with.
 *
 * @see https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/#max-request-size
 */
const USUAL_REQUEST_BYTES = 1024 * 1024

/** Whether a request sent now can be expected to be delivered. */
export interface Readiness {
  readonly ready: boolean
  /** Why not. */
  readonly reason: 'closing' | 'memory_full' | 'all_streams_parked' | undefined
  /** Sources that take events. */
  readonly sources: number
  /** Those of them of which every stream is parked after an error that someone has to mend, and whose events no spill takes. */
  readonly parkedSources: number
  /** Of `maxBufferedBytes`, from 0 to 1. */
  readonly bufferedShare: number
}

/** From what deliveries came to, and not from a call made to find out: that would tell of another permission. */
export function readinessOf(sources: Sources, budget: ByteBudget, isClosing: boolean): Readiness {
  const enabled = sources.all.filter((source) => source.enabled)
  const parked = enabled.filter(({ destination }) => destination.isParked())
  const reason = reasonFor({
    isClosing,
    isFull: !budget.hasRoomFor(USUAL_REQUEST_BYTES),
    isParked: enabled.length > 0 && parked.length === enabled.length,
  })
  return {
    ready: reason === undefined,
    reason,
    sources: enabled.length,
    parkedSources: parked.length,
    bufferedShare: budget.used / budget.capacity,
  }
}

interface Conditions {
  readonly isClosing: boolean
  readonly isFull: boolean
  readonly isParked: boolean
}

function reasonFor({ isClosing, isFull, isParked }: Conditions): Readiness['reason'] {
  if (isClosing) return 'closing'
  if (isFull) return 'memory_full'
  return isParked ? 'all_streams_parked' : undefined
}
