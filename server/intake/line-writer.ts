/** Puts one line together, of stretches of bytes and of text, in one buffer that is never copied. */
export class LineWriter {
  readonly #source: Buffer
  readonly #line: Buffer
  #length = 0

  /**
   * @param source - what is copied from
   * @param capacity - bytes that the line may come to
   */
  constructor(source: Buffer, capacity: number) {
    this.#source = source
    this.#line = Buffer.allocUnsafe(capacity)
  }

  /** Appends the bytes from `from` to before `to` of the source. */
  copy(from: number, to: number): void {
    this.#length += this.#source.copy(this.#line, this.#length, from, to)
  }

  /** Appends text as UTF-8. */
  write(text: string): void {
    this.#length += this.#line.write(text, this.#length)
  }

  written(): Buffer {
    return this.#length === this.#line.length ? this.#line : this.#line.subarray(0, this.#length)
  }
}
