import { assumedRoleArn, parseRoleArn } from '../arn.js'
import { stableId } from '../authentication.js'
import { AwsError } from '../aws-error.js'
import { type Caller, callerContext, principalArns, refusal } from '../caller.js'
import { evaluateTrust } from '../policy.js'
import type { PolicyDocument } from '../policy-document.js'
import type { Roles } from '../roles.js'
import { type AssumeRoleRequest, readAssumeRole } from './assume-role-request.js'
import type { StsOperation } from './operation.js'
import { parseSessionPolicy } from './session-policy.js'
import { NO_MARKS, sessionMarks } from './session-tags.js'

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
export const assumeRole: StsOperation = (state, { parameters, caller }) => {
  const request = readAssumeRole(parameters, caller)
  const role = parseRoleArn(request.roleArn)
  if (role === undefined) throw new AwsError('ValidationError', 400, `${request.roleArn} is invalid`)
  const sessionPolicy: PolicyDocument | undefined = parseSessionPolicy(request.policy)
  const marks = sessionMarks(request.tags, request.sourceIdentity, caller.marks ?? NO_MARKS)
  for (const action of actionsOf(request)) requireTrust(state.roles, action, request, caller)

  const lifetimeMs = state.credentialLifetimeMs ?? request.durationSeconds * 1000
  const issued = state.credentials.issue({
    roleArn: request.roleArn,
    sessionName: request.sessionName,
    expiresAt: state.now() + lifetimeMs,
    ...(sessionPolicy && { sessionPolicy }),
    marks,
  })
  return {
    ...(marks.sourceIdentity !== undefined && { SourceIdentity: marks.sourceIdentity }),
    AssumedRoleUser: {
      AssumedRoleId: `${stableId('AROA', request.roleArn)}:${request.sessionName}`,
      Arn: assumedRoleArn(role, request.sessionName),
    },
    Credentials: {
      AccessKeyId: issued.accessKeyId,
      SecretAccessKey: issued.secretAccessKey,
      SessionToken: issued.sessionToken,
      // The SDKs want whole seconds, as AWS sends them.
      Expiration: new Date(issued.expiresAt).toISOString().replace(/\.\d{3}Z$/, 'Z'),
    },
  }
}

/** What the caller must be allowed: tags and a source identity each need a permission of their own. */
function actionsOf({ tags, sourceIdentity }: AssumeRoleRequest): string[] {
  return [
    'sts:AssumeRole',
    ...(tags.tags.length > 0 ? ['sts:TagSession'] : []),
    ...(sourceIdentity !== undefined ? ['sts:SetSourceIdentity'] : []),
  ]
}

/**
 * A role is assumed if its trust policy says so and, unless that names the caller itself within one account,
 * the caller's own policy does too. A role that does not exist is refused in the same words.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
 */
function requireTrust(
  roles: Roles,
  action: string,
  { roleArn, externalId, sessionName, sourceIdentity, tags }: AssumeRoleRequest,
  caller: Caller,
): void {
  if (roles.open) return
  const extra: [string, string | undefined][] = [
    ['sts:externalid', externalId],
    ['sts:rolesessionname', sessionName],
    ['sts:sourceidentity', sourceIdentity],
    ...tags.tags.map(({ key = '', value }): [string, string | undefined] => [
      `aws:requesttag/${key.toLowerCase()}`,
      value,
    ]),
  ]
  const denied = new AwsError(
    'AccessDenied',
    403,
    `User: ${caller.arn} is not authorized to perform: ${action} on resource: ${roleArn}`,
  )
  const role = roles.find(roleArn)
  if (role === undefined) throw denied
  const context = new Map([...callerContext(caller), ...extra])
  const asking = { accountId: caller.accountId, principalArns: principalArns(caller) }
  const trust = evaluateTrust(role.trustPolicy, action, asking, context)
  if (trust === 'deny') throw denied

  const sameAccount = parseRoleArn(roleArn)?.accountId === caller.accountId
  const reason = refusal(caller, action, roleArn, extra)
  if (reason === undefined) return
  const ownPolicyNeeded = trust !== 'principal' || !sameAccount
  if (ownPolicyNeeded || reason.startsWith('with an explicit deny')) throw denied
}
