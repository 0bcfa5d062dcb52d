const COMMA = ','.charCodeAt(0)
const OPEN_BRACE = '{'.charCodeAt(0)
/** Braces, commas and the newline. */
const ROOM_FOR_PUNCTUATION = 8

/** Puts an object together, on one line, of members that stand in bytes and members that are text. */
export class LineBuilder {
  readonly #source: Buffer
  readonly #line: Buffer
  #length = 1

  /** @param size - bytes of all that is copied and written, commas between members not counted */
  constructor(source: Buffer, size: number) {
    this.#source = source
    this.#line = Buffer.allocUnsafe(size + ROOM_FOR_PUNCTUATION)
    this.#line[0] = OPEN_BRACE
  }

  copy(from: number, to: number): void {
    this.#length += this.#source.copy(this.#line, this.#length, from, to)
  }

  write(text: string): void {
    this.#length += this.#line.write(text, this.#length)
  }

  /** A comma, but for the first member of an object. */
  separate(): void {
    if (this.#line[this.#length - 1] !== OPEN_BRACE) this.#line[this.#length++] = COMMA
  }

  end(): Buffer {
    this.write('}\n')
    return this.#line.subarray(0, this.#length)
  }
}
