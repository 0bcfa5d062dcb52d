import { AwsError } from '../aws-error.js'
import type { Input } from '../input.js'

/**
 * Of a message, and of all in a batch together: 1 MiB since August 2025, before that 256 KiB.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
 */
export const MAX_MESSAGE_BYTES = 1_048_576

/** 12 hours. */
export const MAX_VISIBILITY_SECONDS = 43_200

export type QueueAttribute =
  | 'DelaySeconds'
  | 'MaximumMessageSize'
  | 'MessageRetentionPeriod'
  | 'ReceiveMessageWaitTimeSeconds'
  | 'VisibilityTimeout'

export type QueueAttributes = Readonly<Record<QueueAttribute, number>>

interface Bounds {
  readonly min: number
  readonly max: number
  readonly byDefault: number
}

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html */
const BOUNDS: Readonly<Record<QueueAttribute, Bounds>> = {
  DelaySeconds: { min: 0, max: 900, byDefault: 0 },
  MaximumMessageSize: { min: 1_024, max: MAX_MESSAGE_BYTES, byDefault: MAX_MESSAGE_BYTES },
  MessageRetentionPeriod: { min: 60, max: 1_209_600, byDefault: 345_600 },
  ReceiveMessageWaitTimeSeconds: { min: 0, max: 20, byDefault: 0 },
  VisibilityTimeout: { min: 0, max: MAX_VISIBILITY_SECONDS, byDefault: 30 },
}

/** The `Attributes` of a new queue. @throws AwsError InvalidAttributeName, InvalidAttributeValue */
export function readQueueAttributes(attributes: Input | undefined): Partial<QueueAttributes> {
  const given = (attributes?.names() ?? []).map((name) => [name, readAttribute(attributes, name)])
  return Object.fromEntries(given)
}

export function completeAttributes(given: Partial<QueueAttributes>): QueueAttributes {
  const byDefault = Object.entries(BOUNDS).map(([name, bounds]) => [name, bounds.byDefault])
  return { ...(Object.fromEntries(byDefault) as QueueAttributes), ...given }
}

function readAttribute(attributes: Input | undefined, name: string): number {
  const bounds = Object.hasOwn(BOUNDS, name) ? BOUNDS[name as QueueAttribute] : undefined
  if (bounds === undefined) throw new AwsError('InvalidAttributeName', 400, `Unknown Attribute ${name}.`)
  const text = attributes?.text(name) ?? ''
  const value = Number(text)
  if (/^\d{1,9}$/.test(text) && value >= bounds.min && value <= bounds.max) return value
  throw new AwsError('InvalidAttributeValue', 400, `Invalid value for the parameter ${name}.`)
}
