import type { SqsOperation } from './operation.js'
import { requiredText } from './parameter-error.js'
import { formatQueueUrl } from './queue-url.js'

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueUrl.html */
export const getQueueUrl: SqsOperation = ({ queues }, { input, caller, region, origin }) => {
  const accountId = input.text('QueueOwnerAWSAccountId') ?? caller.accountId
  const queue = queues.named(requiredText(input, 'QueueName'), { accountId, region })
  return { output: { QueueUrl: formatQueueUrl(origin, queue.accountId, queue.name) } }
}
