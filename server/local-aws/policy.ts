import { globMatches } from './glob.js'
import { type ConditionContext, evaluateCondition } from './policy-condition.js'
import type { PolicyDocument, PolicyStatement } from './policy-document.js'

/** What is asked of a policy. */
export interface PolicyQuestion {
  /** `firehose:PutRecordBatch` */
  readonly action: string
  readonly resource: string
  readonly context: ConditionContext
}

export type PolicyDecision = 'allow' | 'implicit-deny' | 'explicit-deny'

/**
 * Decides as IAM does: nothing is allowed that no statement allows, and an explicit Deny wins over every
 * Allow. A condition that is not understood never allows, and always denies.
 */
export function evaluatePolicy(policy: PolicyDocument, question: PolicyQuestion): PolicyDecision {
  return decide(policy, question, (statement) => resourceMatches(statement, question.resource))
}

/** How the caller is named by the statement that lets it in: by itself, or only through its account. */
export type TrustDecision = 'principal' | 'account' | 'deny'

/** Who asks, in the names that a trust policy may use. */
export interface TrustedCaller {
  readonly accountId: string
  /** The ARN of the user or session and, for a session, that of its role. */
  readonly principalArns: readonly string[]
}

/** Whether a role's trust policy allows the caller an action, such as `sts:AssumeRole`. */
export function evaluateTrust(
  policy: PolicyDocument,
  action: string,
  caller: TrustedCaller,
  context: ConditionContext,
): TrustDecision {
  const question = { action, resource: '*', context }
  const byName = decide(policy, question, (statement) => principalMatch(statement, caller) === 'principal')
  if (byName === 'explicit-deny') return 'deny'
  const byAny = decide(policy, question, (statement) => principalMatch(statement, caller) !== 'none')
  if (byAny !== 'allow') return 'deny'
  return byName === 'allow' ? 'principal' : 'account'
}

function decide(
  policy: PolicyDocument,
  { action, context }: PolicyQuestion,
  applies: (statement: PolicyStatement) => boolean,
): PolicyDecision {
  let decision: PolicyDecision = 'implicit-deny'
  for (const statement of [policy.Statement].flat() as readonly PolicyStatement[]) {
    if (!actionMatches(statement, action) || !applies(statement)) continue
    const condition = evaluateCondition(statement.Condition, context)
    if (statement.Effect === 'Deny' && condition !== 'unmet') return 'explicit-deny'
    if (statement.Effect === 'Allow' && condition === 'met') decision = 'allow'
  }
  return decision
}

function actionMatches(statement: PolicyStatement, action: string): boolean {
  const named = (patterns: readonly string[]) =>
    patterns.some((pattern) => globMatches(pattern.toLowerCase(), action.toLowerCase()))
  if (statement.NotAction !== undefined) return !named([statement.NotAction].flat())
  return named([statement.Action ?? []].flat())
}

function resourceMatches(statement: PolicyStatement, resource: string): boolean {
  const named = (patterns: readonly string[]) => patterns.some((pattern) => globMatches(pattern, resource))
  if (statement.NotResource !== undefined) return !named([statement.NotResource].flat())
  return named([statement.Resource ?? []].flat())
}

function principalMatch(statement: PolicyStatement, caller: TrustedCaller): 'principal' | 'account' | 'none' {
  const { Principal: principal } = statement
  if (principal === undefined) return 'none'
  const names = principal === '*' ? ['*'] : [principal.AWS ?? []].flat()
  // No pattern here but the lone "*": IAM allows no wildcard inside of a principal.
  if (names.some((name) => name === '*' || caller.principalArns.includes(name))) return 'principal'
  return names.some((name) => accountOf(name) === caller.accountId) ? 'account' : 'none'
}

function accountOf(principal: string): string | undefined {
  return /^(?:arn:aws[a-z-]*:iam::)?(\d{12})(?::root)?$/.exec(principal)?.[1]
}
