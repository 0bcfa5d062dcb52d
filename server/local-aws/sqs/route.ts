import { queueArn } from '../arn.js'
import { AwsError } from '../aws-error.js'
import { type Caller, refusal } from '../caller.js'
import { Input } from '../input.js'
import type { AwsRequest } from '../request.js'
import type { Route } from '../route.js'
import type { SqsState } from './operation.js'
import { permissionFor, SQS_OPERATIONS } from './operations.js'
import { jsonAnswer, jsonError } from './protocol.js'
import { parseQueueUrl } from './queue-url.js'

const TARGET_PREFIX = 'AmazonSQS.'

export function isSqsRequest({ headers }: AwsRequest): boolean {
  return headers.get('x-amz-target')?.startsWith(TARGET_PREFIX) ?? false
}

/** Reads a request in SQS's JSON protocol, which the SDKs have spoken since the end of 2023. */
export function sqsRoute(state: SqsState, request: AwsRequest): Route {
  const action = request.headers.get('x-amz-target')?.slice(TARGET_PREFIX.length) ?? ''
  const operation = request.method === 'POST' ? SQS_OPERATIONS.get(action) : undefined
  if (operation === undefined) return unknownOperation(action)

  const input = readInput(request.body)
  const named = input instanceof AwsError ? undefined : queueNamed(input)
  const origin = `http://${request.headers.get('host') ?? 'localhost'}`
  const traceHeader = request.headers.get('x-amzn-trace-id')
  return {
    service: 'sqs',
    action,
    ...(named !== undefined && { queue: named.name }),
    async run({ caller, region, recordFault }) {
      if (input instanceof AwsError) throw input
      // Before validation, as with AWS: a malformed name is first of all one that no policy allows.
      const accountId = named?.accountId ?? caller.accountId
      requireQueuePermission(caller, permissionFor(action), region, accountId, named?.name ?? '*')
      const call = { input, caller, region, origin, traceHeader, recordFault }
      const { output, ...counts } = await operation(state, call)
      return { answer: jsonAnswer(output), ...counts }
    },
    answerError: jsonError,
  }
}

/** @throws AwsError AccessDeniedException in the words of SQS, which writes actions in lower case */
function requireQueuePermission(
  caller: Caller,
  permission: string,
  region: string,
  accountId: string,
  name: string,
): void {
  const resource = queueArn(region, accountId, name)
  const action = permission.toLowerCase()
  const reason =
    // It would take a policy of the queue's own, and queues have none here.
    caller.accountId === accountId
      ? refusal(caller, action, resource)
      : `because no resource-based policy allows the ${action} action`
  if (reason === undefined) return
  throw new AwsError(
    'AccessDeniedException',
    403,
    `User: ${caller.arn} is not authorized to perform: ${action} on resource: ${resource} ${reason}`,
  )
}

function unknownOperation(action: string): Route {
  const unknown = new AwsError('UnknownOperationException', 400, `Unknown operation ${action.slice(0, 200)}`)
  return {
    service: 'sqs',
    action: 'Unknown',
    unknown,
    run() {
      throw unknown
    },
    answerError: jsonError,
  }
}

function readInput(body: Buffer): Input | AwsError {
  try {
    return Input.parse(body)
  } catch (error) {
    if (error instanceof AwsError) return error
    throw error
  }
}

/** The queue that a call is for, as far as that can be told before its input is checked. */
function queueNamed(input: Input): { accountId?: string; name: string } | undefined {
  const { QueueUrl: url, QueueName: name } = input.raw()
  if (typeof url === 'string') return parseQueueUrl(url)
  return typeof name === 'string' ? { name } : undefined
}
