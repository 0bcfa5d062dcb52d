import type { SqsCall, SqsState } from './operation.js'
import { requiredText } from './parameter-error.js'
import type { Queue } from './queue.js'
import { parseQueueUrl } from './queue-url.js'
import { noSuchQueue } from './queues.js'

/** The queue that a call's `QueueUrl` names. @throws AwsError QueueDoesNotExist, also where it is no URL of a queue */
export function queueOf({ queues }: SqsState, { input, caller, region }: SqsCall): Queue {
  const named = parseQueueUrl(requiredText(input, 'QueueUrl'))
  if (named === undefined) throw noSuchQueue()
  return queues.named(named.name, { accountId: named.accountId ?? caller.accountId, region })
}
