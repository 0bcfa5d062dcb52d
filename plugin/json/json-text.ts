/** A value as the JSON that it came as, so that it can be written again to the digit. */
export class JsonText {
  /** Valid JSON on one line, UTF-8. */
  readonly bytes: Buffer

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  toString(): string {
    return this.bytes.toString()
  }

  /** The value; numbers are what JavaScript makes of them. */
  toJSON(): unknown {
    return JSON.parse(this.bytes.toString())
  }
}
