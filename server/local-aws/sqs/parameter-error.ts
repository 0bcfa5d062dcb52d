import { AwsError } from '../aws-error.js'
import type { Input } from '../input.js'

/** @throws AwsError MissingParameter */
export function requiredText(input: Input, field: string): string {
  const text = input.text(field)
  if (text !== undefined) return text
  throw new AwsError('MissingParameter', 400, `The request must contain the parameter ${field}.`)
}

/** @throws AwsError InvalidParameterValue where it is out of bounds */
export function integerWithin(input: Input, field: string, min: number, max: number): number | undefined {
  const value = input.integer(field)
  if (value === undefined || (value >= min && value <= max)) return value
  throw invalidParameter(
    `Value ${value} for parameter ${field} is invalid. Reason: Must be >= ${min} and <= ${max}, if provided.`,
  )
}

export function invalidParameter(message: string): AwsError {
  return new AwsError('InvalidParameterValue', 400, message)
}
