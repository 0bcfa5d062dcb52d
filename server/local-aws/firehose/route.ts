import { deliveryStreamArn } from '../arn.js'
import { AwsError } from '../aws-error.js'
import { requirePermission } from '../caller.js'
import { Input } from '../input.js'
import type { AwsRequest } from '../request.js'
import type { Route } from '../route.js'
import type { FirehoseState } from './operation.js'
import { FIREHOSE_OPERATIONS } from './operations.js'
import { jsonAnswer, jsonError } from './protocol.js'

const TARGET_PREFIX = 'Firehose_20150804.'

/** Reads a request in Firehose's protocol: the operation is in a header, the input is JSON. */
export function firehoseRoute(state: FirehoseState, request: AwsRequest): Route {
  const target = request.headers.get('x-amz-target') ?? ''
  const action = target.startsWith(TARGET_PREFIX) ? target.slice(TARGET_PREFIX.length) : ''
  const operation = request.method === 'POST' ? FIREHOSE_OPERATIONS.get(action) : undefined
  if (operation === undefined) return unknownOperation(target)

  const input = readInput(request.body)
  const stream = input instanceof AwsError ? undefined : streamName(input)
  return {
    service: 'firehose',
    action,
    ...(stream !== undefined && { stream }),
    run({ caller, region, recordFault }) {
      if (input instanceof AwsError) throw input
      // Before validation, as with AWS: a malformed name is first of all one that no policy allows.
      const resource = deliveryStreamArn(region, caller.accountId, stream ?? '*')
      requirePermission(caller, `firehose:${action}`, resource)
      const { output, ...counts } = operation(state, { input, caller, region, recordFault })
      return { answer: jsonAnswer(output), ...counts }
    },
    answerError: jsonError,
  }
}

function unknownOperation(target: string): Route {
  const unknown = new AwsError('UnknownOperationException', 400, `Unknown operation ${target.slice(0, 200)}`)
  return {
    service: 'firehose',
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

function streamName(input: Input): string | undefined {
  const name = input.raw()['DeliveryStreamName']
  return typeof name === 'string' ? name : undefined
}
