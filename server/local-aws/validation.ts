import { AwsError } from './aws-error.js'

export interface TextConstraint {
  readonly required?: boolean
  readonly min?: number
  readonly max?: number
  /** As AWS prints it in its message; matched against the whole text. */
  readonly pattern?: string
  readonly values?: readonly string[]
}

export interface NumberConstraint {
  readonly min?: number
  readonly max?: number
}

/** AWS lists no more violations than this in one message. */
const MAX_VIOLATIONS = 10

/**
 * Gathers what is wrong with an input and says it as AWS does, all in one message:
 * `2 validation errors detected: Value 'x' at 'limit' failed to satisfy constraint: …; Value null at …`.
 */
export class Validation {
  readonly #violations: string[] = []

  text(path: string, value: string | undefined, constraint: TextConstraint): this {
    if (value === undefined) {
      if (constraint.required) this.#add(null, path, 'Member must not be null')
      return this
    }
    const { min, max, pattern, values } = constraint
    if (max !== undefined && value.length > max) this.#add(value, path, atMost('length', max))
    if (min !== undefined && value.length < min) this.#add(value, path, atLeast('length', min))
    if (pattern !== undefined && !new RegExp(`^(?:${pattern})$`, 'u').test(value)) {
      this.#add(value, path, `Member must satisfy regular expression pattern: ${pattern}`)
    }
    if (values !== undefined && !values.includes(value)) {
      this.#add(value, path, `Member must satisfy enum value set: [${values.join(', ')}]`)
    }
    return this
  }

  number(path: string, value: number | undefined, { min, max }: NumberConstraint): this {
    if (value === undefined) return this
    if (max !== undefined && value > max) this.#add(String(value), path, atMost('value', max))
    if (min !== undefined && value < min) this.#add(String(value), path, atLeast('value', min))
    return this
  }

  /** A list's size. Its elements are not printed: they would be records. */
  list(
    path: string,
    length: number | undefined,
    { min, max, required }: NumberConstraint & { required?: boolean },
  ): this {
    if (length === undefined) {
      if (required) this.#add(null, path, 'Member must not be null')
      return this
    }
    const printed = length === 0 ? '[]' : `[… ${length} members]`
    if (max !== undefined && length > max) this.#add(printed, path, atMost('length', max))
    if (min !== undefined && length < min) this.#add(printed, path, atLeast('length', min))
    return this
  }

  /** A blob, printed as AWS does: by its size, in the words of its Java. */
  blob(path: string, value: Buffer | undefined, maxBytes: number): this {
    if (value === undefined) this.#add(null, path, 'Member must not be null')
    else if (value.length > maxBytes) {
      const printed = `java.nio.HeapByteBuffer[pos=0 lim=${value.length} cap=${value.length}]`
      this.#add(printed, path, atMost('length', maxBytes))
    }
    return this
  }

  /** @throws AwsError under the service's code for it, if anything was wrong */
  finish(code: 'ValidationException' | 'ValidationError'): void {
    const count = this.#violations.length
    if (count === 0) return
    const errors = count === 1 ? 'error' : 'errors'
    throw new AwsError(code, 400, `${count} validation ${errors} detected: ${this.#violations.join('; ')}`)
  }

  #add(value: string | null, path: string, constraint: string): void {
    if (this.#violations.length >= MAX_VIOLATIONS) return
    const printed = value === null ? 'null' : `'${value}'`
    this.#violations.push(`Value ${printed} at '${path}' failed to satisfy constraint: ${constraint}`)
  }
}

function atMost(what: 'length' | 'value', limit: number): string {
  return `Member must have ${what} less than or equal to ${limit}`
}

function atLeast(what: 'length' | 'value', limit: number): string {
  return `Member must have ${what} greater than or equal to ${limit}`
}
