import { UnfitRecordError } from './spill.js'

const NEWLINE = 0x0a

/** @throws UnfitRecordError where a record is not one line with its newline. */
export function checkLines(records: readonly Uint8Array[]): void {
  const wrong = records.findIndex(
    (record) => record.length < 2 || record.indexOf(NEWLINE) !== record.length - 1,
  )
  if (wrong !== -1)
    throw new UnfitRecordError(
      `Record ${wrong} of ${records.length} must be one line that ends with its only newline`,
    )
}

/** The whole lines, as views of `bytes`, and what follows the last newline. */
export function splitLines(bytes: Uint8Array): { lines: Uint8Array[]; rest: Uint8Array } {
  const lines: Uint8Array[] = []
  let start = 0
  for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
    lines.push(bytes.subarray(start, end + 1))
    start = end + 1
  }
  return { lines, rest: bytes.subarray(start) }
}

export function byteLength(records: readonly Uint8Array[]): number {
  return records.reduce((sum, { length }) => sum + length, 0)
}
