/** Puts one line together, of stretches of bytes and of text. */
export class LineBuilder {
  readonly #source: Buffer
  /** Text, and pairs of numbers for what is copied: from and to. */
  readonly #parts: (string | number)[] = []
  #size = 0

  /** @param source - what is copied from */
  constructor(source: Buffer) {
    this.#source = source
  }

  copy(from: number, to: number): void {
    this.#parts.push(from, to)
    this.#size += to - from
  }

  write(text: string): void {
    this.#parts.push(text)
    this.#size += Buffer.byteLength(text)
  }

  built(): Buffer {
    const parts = this.#parts
    const line = Buffer.allocUnsafe(this.#size)
    let length = 0
    for (let i = 0; i < parts.length; i++) {
      const part = parts[i] as string | number
      if (typeof part === 'string') length += line.write(part, length)
      else length += this.#source.copy(line, length, part, parts[++i] as number)
    }
    return line
  }
}
