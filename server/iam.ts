import type { SourceConfiguration } from './config/configuration.js'

/** An IAM policy as `aws iam` takes it. */
export interface PolicyDocument {
  readonly Version: '2012-10-17'
  readonly Statement: readonly object[]
}

/** What one role, or the ambient credentials, need. */
export interface RolePolicies {
  /** `null`: the ambient credentials, of sources without `roleAddress`. */
  readonly role: string | null
  /** Names of the sources that assume it. */
  readonly sources: readonly string[]
  /** What it may do. `null` where that cannot be told without an account ID. */
  readonly permissions: PolicyDocument | null
  /** Who may assume it. `null` for the ambient credentials, which nobody assumes. */
  readonly trust: PolicyDocument | null
}

export interface IamOptions {
  /** ARN of who assumes the roles. @default the root of each role's own account, which stands for all in it */
  readonly principal?: string | undefined
  /** Account of the streams of sources without a role. */
  readonly account?: string | undefined
}

const ROLE_ARN = /^arn:(?<partition>[^:]+):iam::(?<account>\d{12}):role\//

/** Both are used: which one depends on `api` and on how much there is to send. */
const ACTIONS = ['firehose:PutRecord', 'firehose:PutRecordBatch']

/**
 * The policies that a configuration needs, a role each.
 *
 * SECURITY: the trust policies hold external IDs; printing them is what they are for.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html
 */
export function rolePolicies(
  sources: readonly SourceConfiguration[],
  options: IamOptions = {},
): RolePolicies[] {
  const byRole = new Map<string | undefined, SourceConfiguration[]>()
  for (const source of sources) {
    const { roleAddress } = source.destination
    byRole.set(roleAddress, [...(byRole.get(roleAddress) ?? []), source])
  }
  return [...byRole].map(([role, users]): RolePolicies => {
    const { partition, account } = (role && ROLE_ARN.exec(role)?.groups) || {
      partition: undefined,
      account: options.account,
    }
    return {
      role: role ?? null,
      sources: users.map(({ name }) => name),
      permissions: account === undefined ? null : permissionsOf(users, partition, account),
      trust:
        role === undefined
          ? null
          : trustOf(users, options.principal ?? `arn:${partition}:iam::${account}:root`),
    }
  })
}

/** The streams of the mapping, and no others. */
function permissionsOf(
  sources: readonly SourceConfiguration[],
  partition: string | undefined,
  account: string,
): PolicyDocument {
  const streams = sources.flatMap(({ destination: { region, mapping } }) =>
    mapping.map(
      ({ stream }) =>
        `arn:${partition ?? partitionOf(region)}:firehose:${region}:${account}:deliverystream/${stream}`,
    ),
  )
  return policy({ Effect: 'Allow', Action: ACTIONS, Resource: sortedSet(streams) })
}

/** Who may assume the role, and with which external IDs. */
function trustOf(sources: readonly SourceConfiguration[], principal: string): PolicyDocument {
  const ids = sortedSet(sources.flatMap(({ destination }) => destination.externalId ?? []))
  return policy({
    Effect: 'Allow',
    Principal: { AWS: principal },
    Action: 'sts:AssumeRole',
    Condition: { StringEquals: { 'sts:ExternalId': ids.length === 1 ? ids[0] : ids } },
  })
}

function policy(statement: object): PolicyDocument {
  return { Version: '2012-10-17', Statement: [statement] }
}

function sortedSet(values: readonly string[]): string[] {
  return [...new Set(values)].sort()
}

/** Where there is no role to tell it. Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html */
function partitionOf(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn'
  return region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws'
}
