const NEWLINE = 0x0a

/** A place in a file: bytes before it, after inflation, and lines before it. */
export interface Position {
  readonly offset: number
  readonly line: number
}

/** One line of a file. */
export interface Line {
  /** Where it begins; the first line of a file is 1. */
  readonly offset: number
  readonly number: number
  /** Where the next one begins. */
  readonly end: number
  /** Without its newline; `undefined` where it is longer than is read. */
  readonly bytes: Buffer | undefined
}

/** The lines of what begins at `start`. Holds one line at a time, and of a longer one than `maxBytes` nothing. */
export async function* linesIn(
  chunks: AsyncIterable<Buffer>,
  start: Position,
  maxBytes: number,
): AsyncGenerator<Line> {
  let { offset, line: number } = start
  let pieces: Buffer[] = []
  let length = 0
  const hold = (piece: Buffer) => {
    length += piece.length
    if (length > maxBytes) pieces = []
    else if (piece.length > 0) pieces.push(piece)
  }
  const ended = (newline: number): Line => {
    const bytes = length > maxBytes ? undefined : Buffer.concat(pieces)
    const line = { offset, number: ++number, end: offset + length + newline, bytes }
    offset = line.end
    pieces = []
    length = 0
    return line
  }
  for await (const chunk of chunks) {
    let from = 0
    for (let to = chunk.indexOf(NEWLINE); to !== -1; to = chunk.indexOf(NEWLINE, from)) {
      hold(chunk.subarray(from, to))
      yield ended(1)
      from = to + 1
    }
    hold(chunk.subarray(from))
  }
  if (length > 0) yield ended(0)
}

/** What comes after the first `bytes`. */
export async function* skipping(chunks: AsyncIterable<Buffer>, bytes: number): AsyncGenerator<Buffer> {
  let left = bytes
  for await (const chunk of chunks) {
    if (chunk.length > left) yield chunk.subarray(left)
    left = Math.max(0, left - chunk.length)
  }
}
