import { queueArn } from '../arn.js'
import { AwsError } from '../aws-error.js'
import type { SqsOperation } from './operation.js'
import type { Queue } from './queue.js'
import { queueOf } from './queue-of.js'

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html */
export const getQueueAttributes: SqsOperation = (state, call) => {
  const queue = queueOf(state, call)
  const all = attributesOf(queue, call.region)
  const wanted = call.input.texts('AttributeNames') ?? []
  const unknown = wanted.find((name) => name !== 'All' && !KNOWN.has(name) && !Object.hasOwn(all, name))
  if (unknown !== undefined) {
    throw new AwsError('InvalidAttributeName', 400, `Unknown Attribute ${unknown}.`)
  }
  const given = Object.entries(all).filter(([name]) => wanted.includes('All') || wanted.includes(name))
  return { output: given.length > 0 ? { Attributes: Object.fromEntries(given) } : {} }
}

/** Attributes that a queue may have, and the ones here never do. */
const KNOWN: ReadonlySet<string> = new Set([
  'ContentBasedDeduplication',
  'DeduplicationScope',
  'FifoQueue',
  'FifoThroughputLimit',
  'KmsDataKeyReusePeriodSeconds',
  'KmsMasterKeyId',
  'Policy',
  'RedriveAllowPolicy',
  'RedrivePolicy',
])

/** All are texts, as SQS sends them. */
function attributesOf(queue: Queue, region: string): Record<string, string> {
  const { visible, inFlight, delayed } = queue.counts()
  const createdAt = Math.floor(queue.createdAt / 1000)
  const numbers = {
    ...queue.attributes,
    ApproximateNumberOfMessages: visible,
    ApproximateNumberOfMessagesNotVisible: inFlight,
    ApproximateNumberOfMessagesDelayed: delayed,
    CreatedTimestamp: createdAt,
    LastModifiedTimestamp: createdAt,
  }
  return {
    ...Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, String(value)])),
    QueueArn: queueArn(region, queue.accountId, queue.name),
    SqsManagedSseEnabled: 'true',
  }
}
