import type { FirehoseError } from '../errors.js'

/**
 * What became of one record. `delivered` is said only of a record that has its RecordId from Firehose, `spilled` only of
 * one that the spill keeps, a directory or a queue, and that will be sent from there.
 */
export type RecordOutcome =
  | { readonly status: 'delivered'; readonly recordId: string }
  | { readonly status: 'spilled' }
  | { readonly status: 'failed'; readonly error: FirehoseError }
