import { COMMA, OPEN_BRACE, SPACE } from '../../plugin/json/json-bytes.js'
import { skipSpace, startOfMember } from '../../plugin/json/json-spans.js'

/**
 * Copies an object of JSON with some stretches of it left out or replaced, and members added at its end. The bytes
 * between stay as they came. Edits must not overlap.
 */
export class LineWriter {
  readonly #bytes: Buffer
  readonly #start: number
  readonly #end: number
  /** In the order of their places. */
  readonly #edits: Edit[] = []
  #added = ''

  /** @param start - of the object's opening brace; `end` is behind the closing one */
  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes
    this.#start = start
    this.#end = end
  }

  /** Puts the text in place of the bytes from `start` to before `end`. */
  replace(start: number, end: number, text: string): void {
    this.#edit({ start, end, text, takesComma: false })
  }

  /**
   * Leaves out the member whose value is there. Members in `instead`, with commas between them, take its place.
   *
   * @param key - as it is written, without escapes
   */
  remove(key: string, valueStart: number, valueEnd: number, instead = ''): void {
    const start = startOfMember(this.#bytes, key, valueStart)
    if (instead !== '') return this.replace(start, valueEnd, instead)
    const next = skipSpace(this.#bytes, valueEnd)
    const isLast = this.#bytes[next] !== COMMA
    this.#edit({ start, end: isLast ? valueEnd : next + 1, text: '', takesComma: isLast })
  }

  /** Adds members, with commas between them, at the beginning of the object within that begins at `start`. */
  insert(start: number, isEmpty: boolean, members: string): void {
    this.replace(start + 1, start + 1, isEmpty ? members : `${members},`)
  }

  /** Adds a member at the end. */
  add(key: string, text: string): void {
    this.#added += this.#added === '' ? `"${key}":${text}` : `,"${key}":${text}`
  }

  /** Keeps the edits in the order of their places. */
  #edit(edit: Edit): void {
    const edits = this.#edits
    let at = edits.length
    while (at > 0 && (edits[at - 1] as Edit).start > edit.start) at--
    edits.splice(at, 0, edit)
  }

  /** The object followed by `end`, UTF-8. */
  written(end = ''): Buffer {
    const tail = `${this.#added}}${end}`
    let size = this.#end - this.#start + 1 + Buffer.byteLength(tail)
    for (const { start, end, text } of this.#edits) size += Buffer.byteLength(text) - (end - start)
    const line = Buffer.allocUnsafe(size)
    let length = 0
    let from = this.#start
    for (const { start, end, text, takesComma } of this.#edits) {
      length += this.#bytes.copy(line, length, from, start)
      if (takesComma) length = withoutComma(line, length)
      length += line.write(text, length)
      from = end
    }
    length += this.#bytes.copy(line, length, from, this.#end - 1)
    if (this.#added !== '' && !isOpen(line, length)) line[length++] = COMMA
    length += line.write(tail, length)
    return length === line.length ? line : line.subarray(0, length)
  }
}

interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
  /** Whether the comma before it goes as well, if there still is one: a last member was removed. */
  readonly takesComma: boolean
}

/** Whether the object has no member yet. */
function isOpen(line: Buffer, length: number): boolean {
  return line[lastToken(line, length)] === OPEN_BRACE
}

/** The length without the comma that the line ends with, if it does. */
function withoutComma(line: Buffer, length: number): number {
  const last = lastToken(line, length)
  return line[last] === COMMA ? last : length
}

/** Where the last byte is that is not white space. */
function lastToken(line: Buffer, length: number): number {
  let last = length - 1
  while ((line[last] as number) <= SPACE) last--
  return last
}
