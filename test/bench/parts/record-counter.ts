/** Base64 has no quotes: a record's data cannot look like this. */
const MARK = Buffer.from('"Data"')

/** Counts the records of a call as its pieces come, without taking them apart. */
export class RecordCounter {
  records = 0
  #tail = Buffer.alloc(0)

  add(piece: Buffer): void {
    // A mark may lie across two pieces.
    const seam = Buffer.concat([this.#tail, piece.subarray(0, MARK.length - 1)])
    this.#count(seam)
    this.#count(piece)
    this.#tail = Buffer.concat([this.#tail, piece.subarray(-MARK.length)]).subarray(1 - MARK.length)
  }

  #count(bytes: Buffer): void {
    for (let at = bytes.indexOf(MARK); at !== -1; at = bytes.indexOf(MARK, at + MARK.length)) this.records++
  }
}
