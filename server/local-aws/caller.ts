import { AwsError } from './aws-error.js'
import type { PolicyDecision } from './policy.js'
import { evaluatePolicy } from './policy.js'
import type { ConditionContext } from './policy-condition.js'
import type { PolicyDocument } from './policy-document.js'
import type { SessionMarks } from './sts/session-tags.js'

/** Whom a verified request comes from, and what that one may do. */
export interface Caller {
  /** As AWS prints it: a user's ARN, or the assumed role's with the session's name. */
  readonly arn: string
  readonly accountId: string
  readonly userId: string
  /** The role, where the credentials come from AssumeRole. */
  readonly roleArn?: string
  /** Tags and source identity of the session, where the credentials come from AssumeRole. */
  readonly marks?: SessionMarks
  /** The caller's own policy; undefined: no restriction. */
  readonly identityPolicy?: PolicyDocument
  /** The policy given to AssumeRole, which can only take away. */
  readonly sessionPolicy?: PolicyDocument
}

/** The names under which a trust policy may know the caller. */
export function principalArns(caller: Caller): string[] {
  return caller.roleArn === undefined ? [caller.arn] : [caller.arn, caller.roleArn]
}

/** What conditions of a permission policy may ask about the caller. */
export function callerContext(caller: Caller): [string, string | undefined][] {
  return [
    ['aws:principalarn', caller.roleArn ?? caller.arn],
    ['aws:principalaccount', caller.accountId],
    ['aws:userid', caller.userId],
    ['aws:sourceidentity', caller.marks?.sourceIdentity],
    ...[...(caller.marks?.tags ?? [])].map(([key, value]): [string, string] => [
      `aws:principaltag/${key.toLowerCase()}`,
      value,
    ]),
  ]
}

/**
 * Whether the caller's policies allow the action on the resource: undefined if so, else the end of AWS's
 * message that says which kind of policy is in the way.
 */
export function refusal(
  caller: Caller,
  action: string,
  resource: string,
  extra: Iterable<[string, string | undefined]> = [],
): string | undefined {
  const context: ConditionContext = new Map([...callerContext(caller), ...extra])
  const ask = (policy: PolicyDocument | undefined): PolicyDecision =>
    policy === undefined ? 'allow' : evaluatePolicy(policy, { action, resource, context })
  const identity = ask(caller.identityPolicy)
  const session = ask(caller.sessionPolicy)
  if (identity === 'explicit-deny') return 'with an explicit deny in an identity-based policy'
  if (session === 'explicit-deny') return 'with an explicit deny in a session policy'
  if (identity !== 'allow') return `because no identity-based policy allows the ${action} action`
  if (session !== 'allow') return `because no session policy allows the ${action} action`
  return undefined
}

/** @throws AwsError AccessDeniedException in AWS's words */
export function requirePermission(caller: Caller, action: string, resource: string): void {
  const reason = refusal(caller, action, resource)
  if (reason === undefined) return
  throw new AwsError(
    'AccessDeniedException',
    400,
    `User: ${caller.arn} is not authorized to perform: ${action} on resource: ${resource} ${reason}`,
  )
}
