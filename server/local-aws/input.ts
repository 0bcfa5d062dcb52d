import { AwsError } from './aws-error.js'

/**
 * The JSON of a request, read by the type each field must have. AWS reports a wrong type before it looks at
 * anything else, as SerializationException.
 */
export class Input {
  readonly #fields: Readonly<Record<string, unknown>>

  private constructor(fields: Readonly<Record<string, unknown>>) {
    this.#fields = fields
  }

  /** @throws AwsError SerializationException */
  static parse(body: Buffer): Input {
    if (body.length === 0) return new Input({})
    let value: unknown
    try {
      value = JSON.parse(body.toString('utf8'))
    } catch {
      throw serializationError('Unexpected character or end of input: the body is not JSON')
    }
    return Input.#of(value)
  }

  static #of(value: unknown): Input {
    if (Array.isArray(value)) throw serializationError('Start of list found where not expected')
    if (typeof value !== 'object' || value === null) throw serializationError('Expected null')
    return new Input(value as Record<string, unknown>)
  }

  text(field: string): string | undefined {
    const value = this.#fields[field] ?? undefined
    if (value === undefined || typeof value === 'string') return value
    throw wrongType(value, 'an String')
  }

  integer(field: string): number | undefined {
    const value = this.#fields[field] ?? undefined
    if (value === undefined) return value
    if (typeof value === 'number') return Math.floor(value)
    throw wrongType(value, 'an Integer')
  }

  structure(field: string): Input | undefined {
    const value = this.#fields[field] ?? undefined
    return value === undefined ? undefined : Input.#of(value)
  }

  structures(field: string): Input[] | undefined {
    const value = this.#fields[field] ?? undefined
    if (value === undefined) return value
    if (Array.isArray(value)) return value.map((member) => Input.#of(member))
    if (typeof value === 'object') throw wrongType(value, 'a List')
    throw serializationError('Expected list or null')
  }

  texts(field: string): string[] | undefined {
    const value = this.#fields[field] ?? undefined
    if (value === undefined) return value
    if (!Array.isArray(value)) throw serializationError('Expected list or null')
    return value.map((member) => {
      if (typeof member !== 'string') throw wrongType(member, 'an String')
      return member
    })
  }

  blob(field: string): Buffer | undefined {
    const value = this.#fields[field] ?? undefined
    if (value === undefined) return value
    if (typeof value !== 'string') throw wrongType(value, 'a Blob')
    return decodeBase64(value)
  }

  /** The names of the fields that are present. */
  names(): string[] {
    return Object.keys(this.#fields).filter((name) => this.#fields[name] != null)
  }

  /** For what is kept only to be shown again. */
  raw(): Readonly<Record<string, unknown>> {
    return this.#fields
  }
}

function serializationError(message: string): AwsError {
  return new AwsError('SerializationException', 400, message)
}

/** Buffer.from would pass over what is not base64, and store something else than was sent. */
function decodeBase64(text: string): Buffer {
  if (text.length % 4 !== 0) {
    throw serializationError(
      `The value can not be converted to a Blob: Base64 encoded length is expected a multiple of 4 bytes but found: ${text.length}`,
    )
  }
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) {
    throw serializationError('The value can not be converted to a Blob: Invalid Base64 character')
  }
  return Buffer.from(text, 'base64')
}

function wrongType(value: unknown, wanted: string): AwsError {
  if (Array.isArray(value)) return serializationError('Start of list found where not expected')
  if (typeof value === 'object') {
    return serializationError('Start of structure or map found where not expected.')
  }
  const java: Readonly<Record<string, string>> = { boolean: 'Boolean', number: 'Double', string: 'String' }
  return serializationError(`class java.lang.${java[typeof value]} can not be converted to ${wanted}`)
}
