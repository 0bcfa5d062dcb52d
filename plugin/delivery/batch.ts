import type { Entry } from './entry.js'

/** A record as it goes out: one entry, or several whose lines are joined. */
export interface OutgoingRecord {
  readonly entries: Entry[]
  bytes: number
}

export interface BatchLimits {
  /** Records and bytes in a call. */
  readonly records: number
  readonly bytes: number
  /** Documents and bytes in a record that joins several; one document is no joining. */
  readonly documents: number
  readonly documentBytes: number
}

/** What entries are taken from: looked at before they are taken. */
export interface EntrySource {
  peekFront(): Entry | undefined
  shift(): Entry | undefined
}

/** Takes from the front what fits in one call. An entry larger than the call's limit goes alone. */
export function takeBatch(source: EntrySource, limits: BatchLimits): OutgoingRecord[] {
  const records: OutgoingRecord[] = []
  let bytes = 0
  for (let entry = source.peekFront(); entry !== undefined; entry = source.peekFront()) {
    if (!entry.isOut) {
      const size = entry.data.byteLength
      if (records.length > 0 && bytes + size > limits.bytes) break
      const last = records.at(-1)
      if (last !== undefined && joins(last, size, limits)) {
        last.entries.push(entry)
        last.bytes += size
      } else {
        if (records.length === limits.records) break
        records.push({ entries: [entry], bytes: size })
      }
      bytes += size
    }
    source.shift()
  }
  return records
}

/** All that the records carry. A loop: `flatMap` takes longer than all else that is done for a call here. */
export function entriesOf(records: readonly OutgoingRecord[]): Entry[] {
  const all: Entry[] = []
  for (const { entries } of records) for (const entry of entries) all.push(entry)
  return all
}

/** The bytes of a record. */
export function recordData({ entries, bytes }: OutgoingRecord): Uint8Array {
  const [first] = entries
  if (entries.length === 1 && first !== undefined) return first.data
  return Buffer.concat(
    entries.map((entry) => entry.data),
    bytes,
  )
}

function joins(record: OutgoingRecord, size: number, limits: BatchLimits): boolean {
  return record.entries.length < limits.documents && record.bytes + size <= limits.documentBytes
}
