import * as z from 'zod'

/** A value or a list of values, as policy documents allow in most places. */
export type OneOrMore = string | readonly string[]

/** `{ "StringEquals": { "sts:ExternalId": "…" } }` */
export type PolicyCondition = Readonly<Record<string, Readonly<Record<string, OneOrMore>>>>

/** One statement of a {@link PolicyDocument}. */
export interface PolicyStatement {
  readonly Sid?: string
  readonly Effect: 'Allow' | 'Deny'
  /** Only in trust policies. `"*"`, an account id, an account's root, or the ARN of a user, role or session. */
  readonly Principal?: '*' | { readonly AWS?: OneOrMore; readonly Service?: OneOrMore }
  readonly Action?: OneOrMore
  readonly NotAction?: OneOrMore
  readonly Resource?: OneOrMore
  readonly NotResource?: OneOrMore
  readonly Condition?: PolicyCondition
}

/** An AWS policy document, as it is written in IAM. */
export interface PolicyDocument {
  readonly Version?: string
  readonly Id?: string
  readonly Statement: PolicyStatement | readonly PolicyStatement[]
}

const oneOrMore = z.union([z.string(), z.array(z.string())])

const statement = z
  .strictObject({
    Sid: z.string().optional(),
    Effect: z.enum(['Allow', 'Deny']),
    Principal: z
      .union([z.literal('*'), z.strictObject({ AWS: oneOrMore.optional(), Service: oneOrMore.optional() })])
      .optional(),
    Action: oneOrMore.optional(),
    NotAction: oneOrMore.optional(),
    Resource: oneOrMore.optional(),
    NotResource: oneOrMore.optional(),
    Condition: z.record(z.string(), z.record(z.string(), oneOrMore)).optional(),
  })
  .refine((s) => (s.Action === undefined) !== (s.NotAction === undefined), {
    message: 'a statement needs Action or NotAction, and not both',
  })

/** Strict: an element that would be ignored (a typing error, NotPrincipal) is refused, never passed over. */
export const policyDocumentSchema = z.strictObject({
  Version: z.enum(['2012-10-17', '2008-10-17']).optional(),
  Id: z.string().optional(),
  Statement: z.union([statement, z.array(statement)]),
})
