import { AwsError } from '../aws-error.js'
import type { AwsRequest } from '../request.js'
import type { Route } from '../route.js'
import type { StsState } from './operation.js'
import { STS_OPERATIONS } from './operations.js'
import { API_VERSION, xmlAnswer, xmlError } from './protocol.js'

/** Reads a request in STS's protocol: a form, in the body of a POST or the query of a GET. */
export function stsRoute(state: StsState, request: AwsRequest, requestId: string): Route {
  const parameters =
    request.method === 'GET' ? request.query : new URLSearchParams(request.body.toString('utf8'))
  const action = parameters.get('Action') ?? ''
  const version = parameters.get('Version') ?? 'NO_VERSION_SPECIFIED'
  const operation = version === API_VERSION ? STS_OPERATIONS.get(action) : undefined
  const roleArn = parameters.get('RoleArn')
  const externalId = parameters.get('ExternalId')
  const unknown =
    action === ''
      ? new AwsError('MissingAction', 400, 'The request must contain the parameter Action.')
      : new AwsError('InvalidAction', 400, `Could not find operation ${action} for version ${version}`)
  return {
    service: 'sts',
    action: operation === undefined ? 'Unknown' : action,
    ...(roleArn !== null && { roleArn }),
    ...(externalId !== null && { externalId }),
    ...(operation === undefined && { unknown }),
    run({ caller }) {
      if (operation === undefined) throw unknown
      return { answer: xmlAnswer(action, operation(state, { parameters, caller }), requestId) }
    },
    answerError: (error) => xmlError(error, requestId),
  }
}
