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

/**
 * JSON.stringify for an object that may have a {@link JsonText} as a member, which is written as it stands.
 *
 * @throws what JSON.stringify throws
 */
export function stringifyWithText(object: Readonly<Record<string, unknown>>): string {
  const members: string[] = []
  for (const [key, value] of Object.entries(object)) {
    const text = value instanceof JsonText ? value.toString() : JSON.stringify(value)
    if (text !== undefined) members.push(`${JSON.stringify(key)}:${text}`)
  }
  return `{${members.join(',')}}`
}
