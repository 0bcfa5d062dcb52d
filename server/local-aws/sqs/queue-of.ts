import type { SqsCall, SqsState } from './operation.js'
import { requiredText } from './parameter-error.js'
import type { Queue } from './queue.js'
import { requireQueueUrl } from './queue-url.js'

/** The queue that a call's `QueueUrl` names. @throws AwsError */
export function queueOf({ queues }: SqsState, { input }: SqsCall): Queue {
  const { accountId, name } = requireQueueUrl(requiredText(input, 'QueueUrl'))
  return queues.named(name, accountId)
}
