import { globMatches } from './glob.js'
import type { OneOrMore, PolicyCondition } from './policy-document.js'

/**
 * What a condition may ask about, by lower-case key. A key that is absent here is not known to this program;
 * a key that is present and undefined is known, and the request does not carry it.
 */
export type ConditionContext = ReadonlyMap<string, string | undefined>

/** `unknown` where a condition uses an operator or key that is not covered: an Allow then must not apply. */
export type ConditionResult = 'met' | 'unmet' | 'unknown'

/** A request that does not carry the tag of such a key has no tag of this name. */
const TAG = /^aws:(?:request|principal)tag\//

type Matcher = (wanted: string, actual: string) => boolean

const equals: Matcher = (wanted, actual) => wanted === actual
const equalsIgnoreCase: Matcher = (wanted, actual) => wanted.toLowerCase() === actual.toLowerCase()
const like: Matcher = globMatches

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html */
const OPERATORS: ReadonlyMap<string, { readonly matches: Matcher; readonly negated: boolean }> = new Map([
  ['StringEquals', { matches: equals, negated: false }],
  ['StringNotEquals', { matches: equals, negated: true }],
  ['StringEqualsIgnoreCase', { matches: equalsIgnoreCase, negated: false }],
  ['StringNotEqualsIgnoreCase', { matches: equalsIgnoreCase, negated: true }],
  ['StringLike', { matches: like, negated: false }],
  ['StringNotLike', { matches: like, negated: true }],
  ['ArnEquals', { matches: like, negated: false }],
  ['ArnLike', { matches: like, negated: false }],
  ['ArnNotEquals', { matches: like, negated: true }],
  ['ArnNotLike', { matches: like, negated: true }],
])

/** All operators and all keys must be met; the values of one key are alternatives. */
export function evaluateCondition(
  condition: PolicyCondition | undefined,
  context: ConditionContext,
): ConditionResult {
  let result: ConditionResult = 'met'
  for (const [operator, keys] of Object.entries(condition ?? {})) {
    for (const [key, wanted] of Object.entries(keys)) {
      const one = evaluateKey(operator, key, wanted, context)
      if (one === 'unmet') return 'unmet'
      if (one === 'unknown') result = 'unknown'
    }
  }
  return result
}

function evaluateKey(
  operatorText: string,
  key: string,
  wanted: OneOrMore,
  context: ConditionContext,
): ConditionResult {
  const lowerKey = key.toLowerCase()
  if (!context.has(lowerKey) && !TAG.test(lowerKey)) return 'unknown'
  const actual = context.get(lowerKey)
  const values = [wanted].flat()

  // Every key here has at most one value, so ForAnyValue: asks the same as the plain operator, but for an
  // absent key; ForAllValues: is met by an absent key.
  const quantifier = /^(ForAnyValue|ForAllValues):/.exec(operatorText)?.[1]
  const bare = operatorText.replace(/^(ForAnyValue|ForAllValues):/, '')
  if (bare === 'Null') return met(values.some((value) => (value === 'true') === (actual === undefined)))

  const operator = OPERATORS.get(bare.replace(/IfExists$/, ''))
  if (operator === undefined) return 'unknown'
  if (actual === undefined) {
    if (quantifier === 'ForAnyValue') return 'unmet'
    return met(operator.negated || quantifier === 'ForAllValues' || bare.endsWith('IfExists'))
  }
  return met(values.some((value) => operator.matches(value, actual)) !== operator.negated)
}

function met(isMet: boolean): ConditionResult {
  return isMet ? 'met' : 'unmet'
}
