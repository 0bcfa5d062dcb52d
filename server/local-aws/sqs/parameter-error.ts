import { AwsError } from '../aws-error.js'
import type { Input } from '../input.js'

/** @throws AwsError MissingRequiredParameterException */
export function requiredText(input: Input, field: string): string {
  const text = input.text(field)
  if (text !== undefined) return text
  throw missingParameter(field)
}

/** @throws AwsError InvalidParameterValueException where it is out of bounds */
export function integerWithin(
  input: Input,
  field: string,
  min: number,
  max: number,
  rule = `Must be >= ${min} and <= ${max}, if provided.`,
): number | undefined {
  const value = input.integer(field)
  if (value === undefined || (value >= min && value <= max)) return value
  throw invalidParameter(`Value ${value} for parameter ${field} is invalid. Reason: ${rule}`)
}

export function invalidParameter(message: string): AwsError {
  return new AwsError('InvalidParameterValueException', 400, message)
}

export function missingParameter(field: string): AwsError {
  return new AwsError(
    'MissingRequiredParameterException',
    400,
    `The request must contain the parameter ${field}.`,
  )
}
