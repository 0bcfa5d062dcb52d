import { describe, expect, test } from '@jest/globals'
import { globMatches } from '../../../server/local-aws/glob.js'
import { evaluateTrust } from '../../../server/local-aws/policy.js'
import { evaluateCondition } from '../../../server/local-aws/policy-condition.js'
import type { PolicyCondition, PolicyStatement } from '../../../server/local-aws/policy-document.js'

describe('a pattern', () => {
  test.each([
    ['*', '', true],
    ['a*c', 'abbbc', true],
    ['a*c', 'abbbd', false],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['*b*b', 'abab', true],
    ['a.c', 'abc', false],
    ['abc', 'abcd', false],
  ])('%s of %s: %s', (pattern, text, matches) => {
    expect(globMatches(pattern, text)).toBe(matches)
  })

  test('made to be slow is not', () => {
    expect(globMatches(`${'a*'.repeat(200)}b`, 'a'.repeat(20_000))).toBe(false)
  })
})

describe('a condition on sts:ExternalId', () => {
  const given = new Map([['sts:externalid', 'Source-1']])
  const absent = new Map([['sts:externalid', undefined]])
  const on = (operator: string, value: string | string[]): PolicyCondition => ({
    [operator]: { 'sts:ExternalId': value },
  })

  test.each([
    ['StringEquals', 'Source-1', 'met', 'unmet'],
    ['StringEquals', 'source-1', 'unmet', 'unmet'],
    ['StringEquals', ['x', 'Source-1'], 'met', 'unmet'],
    ['StringEqualsIgnoreCase', 'source-1', 'met', 'unmet'],
    ['StringLike', 'Source-*', 'met', 'unmet'],
    ['StringNotEquals', 'Source-1', 'unmet', 'met'],
    ['StringNotEquals', ['x', 'Source-1'], 'unmet', 'met'],
    ['StringNotEquals', 'x', 'met', 'met'],
    ['StringNotLike', 'Source-*', 'unmet', 'met'],
    ['StringEqualsIfExists', 'Source-1', 'met', 'met'],
    ['ForAnyValue:StringEquals', ['x', 'Source-1'], 'met', 'unmet'],
    ['ForAllValues:StringLike', 'x*', 'unmet', 'met'],
    ['Null', 'true', 'unmet', 'met'],
    ['Null', 'false', 'met', 'unmet'],
    ['NumericEquals', '1', 'unknown', 'unknown'],
  ])('%s %j is %s for Source-1, and %s for none', (operator, value, ofGiven, ofNone) => {
    expect(evaluateCondition(on(operator, value), given)).toBe(ofGiven)
    expect(evaluateCondition(on(operator, value), absent)).toBe(ofNone)
  })

  test('does not mind the case of the key, and does not know another key', () => {
    expect(evaluateCondition({ StringEquals: { 'STS:externalID': 'Source-1' } }, given)).toBe('met')
    expect(evaluateCondition({ StringEquals: { 'aws:SourceIp': '::1' } }, given)).toBe('unknown')
  })

  test('must be met with all the others', () => {
    const both = { ...on('StringEquals', 'Source-1'), ...on('StringLike', 'x*') }
    expect(evaluateCondition(both, given)).toBe('unmet')
  })
})

describe('a trust policy', () => {
  const user = 'arn:aws:iam::111111111111:user/u'
  const caller = { accountId: '111111111111', principalArns: [user] }
  const decide = (...Statement: PolicyStatement[]) =>
    evaluateTrust({ Statement }, 'sts:AssumeRole', caller, new Map())
  const statement = (AWS: string | string[], Effect: 'Allow' | 'Deny' = 'Allow'): PolicyStatement => ({
    Effect,
    Principal: { AWS },
    Action: 'sts:AssumeRole',
  })

  test('knows the caller by itself or by its account', () => {
    expect(decide(statement(user))).toBe('principal')
    expect(decide(statement(['222222222222', '*']))).toBe('principal')
    expect(decide(statement('111111111111'))).toBe('account')
    expect(decide(statement('arn:aws-cn:iam::111111111111:root'))).toBe('account')
    expect(decide(statement('222222222222'))).toBe('deny')
    expect(decide(statement('arn:aws:iam::111111111111:user/*'))).toBe('deny')
  })

  test('may shut out one of an account that it lets in', () => {
    expect(decide(statement('111111111111'), statement(user, 'Deny'))).toBe('deny')
    expect(decide(statement(user), statement('111111111111', 'Deny'))).toBe('deny')
  })

  test('denies by a condition that it does not understand, and does not allow by one', () => {
    const Condition = { Bool: { 'aws:MultiFactorAuthPresent': 'true' } }
    expect(decide({ ...statement('*'), Condition })).toBe('deny')
    expect(decide(statement('*'), { ...statement('*', 'Deny'), Condition })).toBe('deny')
  })

  test('is about AssumeRole only where it says so', () => {
    expect(decide({ ...statement('*'), Action: 'sts:TagSession' })).toBe('deny')
    expect(decide({ ...statement('*'), Action: ['sts:*'] })).toBe('principal')
  })
})
