import type { FirehoseError } from '../errors.js'

/** What became of one record. `delivered` is said only of a record that has its RecordId from Firehose. */
export type RecordOutcome =
  | { readonly status: 'delivered'; readonly recordId: string }
  | { readonly status: 'failed'; readonly error: FirehoseError }
