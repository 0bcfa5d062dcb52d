import { MAX_RECORD_BYTES } from '../limits.js'

/**
 * What the objects around a record take while it waits, in bytes of heap: its event, its place in the queue, and what
 * its duplicates are told by. Without it small records would fill several times the memory that was allowed. Some 700
 * were measured; with less the largest request still fits in the least that one of several workers may hold.
 */
const OVERHEAD_BYTES = 512

/** Bytes that a record takes of `maxBufferedBytes`; none takes more than the largest, which must fit alone. */
export function heldBytes({ byteLength }: Uint8Array): number {
  return Math.max(byteLength, Math.min(byteLength + OVERHEAD_BYTES, MAX_RECORD_BYTES))
}
