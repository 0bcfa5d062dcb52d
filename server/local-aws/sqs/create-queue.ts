import { AwsError } from '../aws-error.js'
import type { SqsOperation } from './operation.js'
import { invalidParameter, requiredText } from './parameter-error.js'
import { readQueueAttributes } from './queue-attributes.js'
import { formatQueueUrl } from './queue-url.js'

/**
 * Standard queues only.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
 */
export const createQueue: SqsOperation = ({ queues }, { input, caller, region, origin }) => {
  const name = requiredText(input, 'QueueName')
  if (name.endsWith('.fifo')) {
    throw new AwsError('UnsupportedOperation', 400, 'The local AWS has no FIFO queues.')
  }
  if (!/^[\w-]{1,80}$/.test(name)) {
    throw invalidParameter(
      'Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length',
    )
  }
  const attributes = readQueueAttributes(input.structure('Attributes'))
  const queue = queues.create(name, attributes, { accountId: caller.accountId, region })
  return { output: { QueueUrl: formatQueueUrl(origin, queue.accountId, queue.name) } }
}
