import { classify } from '../aws/error-classes.js'
import { fixOf } from '../aws/error-fixes.js'
import type { Logger } from '../logger.js'
import { QUEUE_URL } from '../settings/spill-settings.js'

/** 14 days, the longest that SQS keeps a message. */
const MAX_RETENTION_SECONDS = 1_209_600
/** A message is received again each time it is put aside for other targets. */
const MIN_RECEIVE_COUNT = 1_000

/** @throws Error where this is not the URL of a standard queue. */
export function checkQueueUrl(queueUrl: string): void {
  const match = QUEUE_URL.exec(queueUrl)
  if (match === null)
    throw new Error(
      `The spill queue "${queueUrl}" is not the URL of an SQS queue, such as https://sqs.us-west-2.amazonaws.com/123456789012/spill`,
    )
  if (match.groups?.['fifo'] !== undefined)
    throw new Error(`The spill queue ${queueUrl} is a FIFO queue: use a standard queue`)
}

/** Says what would lose records that are not delivered soon. */
export function warnOfLoss(
  queueUrl: string,
  attributes: Readonly<Record<string, string>>,
  logger: Logger,
): void {
  const retentionSeconds = Number(attributes['MessageRetentionPeriod'])
  if (retentionSeconds < MAX_RETENTION_SECONDS)
    logger.warn(
      `The spill queue ${queueUrl} forgets what is not delivered within ${Math.round(retentionSeconds / 3600)} hours. ` +
        `Set its MessageRetentionPeriod to ${MAX_RETENTION_SECONDS}`,
    )
  const redrive = attributes['RedrivePolicy']
  if (redrive !== undefined && !(maxReceiveCount(redrive) >= MIN_RECEIVE_COUNT))
    logger.warn(
      `The spill queue ${queueUrl} moves messages away that are received often, as they are while a stream is down. ` +
        `Remove its RedrivePolicy, or set its maxReceiveCount to ${MIN_RECEIVE_COUNT}`,
    )
}

/** The error of a queue that will not work before someone mends something; `undefined` where it may pass. */
export function unusable(
  { queueUrl, region }: { readonly queueUrl: string; readonly region: string },
  error: unknown,
): Error | undefined {
  const { class: kind } = classify(error)
  if (kind === 'retry' || kind === 'reauth') return undefined
  const { name, message } = error instanceof Error ? error : new Error(String(error))
  const fix =
    fixOf(error, { service: 'SQS', region }) ??
    'check its URL, and what the policy of these AWS credentials says'
  const sentence = fix.charAt(0).toUpperCase() + fix.slice(1)
  return new Error(
    `The spill queue ${queueUrl} cannot be used in ${region} (${name}: ${message}). ${sentence}`,
    {
      cause: error,
    },
  )
}

function maxReceiveCount(redrivePolicy: string): number {
  try {
    return Number((JSON.parse(redrivePolicy) as { maxReceiveCount?: unknown }).maxReceiveCount)
  } catch {
    return Number.NaN
  }
}
