/** Puts bytes and texts together into one buffer, which grows as it is needed. */
export class ByteWriter {
  #buffer: Buffer
  #length = 0

  /** @param capacity - bytes to begin with */
  constructor(capacity: number) {
    this.#buffer = Buffer.allocUnsafe(capacity)
  }

  get length(): number {
    return this.#length
  }

  /** Adds the bytes from `start` to before `end`. */
  add(bytes: Uint8Array, start = 0, end = bytes.length): void {
    this.#reserve(end - start)
    this.#buffer.set(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end), this.#length)
    this.#length += end - start
  }

  /** Adds a text in UTF-8. */
  addText(text: string): void {
    this.#reserve(Buffer.byteLength(text))
    this.#length += this.#buffer.write(text, this.#length)
  }

  /** All that was added. */
  written(): Buffer {
    return this.#buffer.subarray(0, this.#length)
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(2 * this.#buffer.length, this.#length + bytes))
    this.#buffer.copy(larger, 0, 0, this.#length)
    this.#buffer = larger
  }
}
