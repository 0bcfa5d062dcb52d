import { allowKey, allowStreams, streamArn } from '../plugin/aws/stream-policy.js'
import type { DestinationConfiguration } from '../plugin/settings/configuration.js'
import type { SourceConfiguration } from './config/source-configuration.js'

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
  /** ARN of who assumes the roles, or the ID of an account, for all in it. @default the root of each role's own account, which stands for all in it */
  readonly principal?: string | undefined
  /** Account of the streams of sources without a role. */
  readonly account?: string | undefined
  /** ARNs of customer-managed keys, beside those that stand in the mapping: of all streams. */
  readonly kmsKeys?: readonly string[] | undefined
}

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
  const byRole = new Map<string | undefined, RoleUse[]>()
  for (const use of sources.flatMap(usesOf)) {
    const { roleAddress } = use.destination
    const users = byRole.get(roleAddress)
    if (users === undefined) byRole.set(roleAddress, [use])
    else users.push(use)
  }
  return [...byRole].map(([role, users]): RolePolicies => {
    const hasAccount = role !== undefined || options.account !== undefined
    return {
      role: role ?? null,
      sources: [...new Set(users.map(({ name }) => name))],
      permissions: hasAccount ? permissionsOf(users, options) : null,
      trust: role === undefined ? null : trustOf(users, principalOf(role, options.principal)),
    }
  })
}

/** A destination, and the name of the source that it is one of. */
interface RoleUse {
  readonly name: string
  readonly destination: DestinationConfiguration
}

function usesOf({ name, destinations }: SourceConfiguration): RoleUse[] {
  return destinations.map((destination) => ({ name, destination }))
}

/** The streams of the mapping with their keys, and no others. */
function permissionsOf(uses: readonly RoleUse[], { account, kmsKeys = [] }: IamOptions): PolicyDocument {
  const streams = uses.flatMap(({ destination: { region, roleAddress, mapping } }) =>
    mapping.map(({ stream }) => streamArn(stream, region, roleAddress, account)),
  )
  const mapped = uses.flatMap(({ destination }) => Object.values(destination.kmsKeys ?? {}))
  const keys = sortedSet([...mapped, ...kmsKeys])
  return policy([allowStreams(sortedSet(streams)), ...(keys.length > 0 ? [allowKey(keys)] : [])])
}

/** An account is its root, in the role's partition; by default that of the role itself. */
function principalOf(role: string, given: string | undefined): string {
  if (given === undefined) return role.replace(/:role\/.*$/, ':root')
  return /^\d{12}$/.test(given) ? role.replace(/::\d{12}:role\/.*$/, `::${given}:root`) : given
}

/** Who may assume the role, and with which external IDs; session tags and a source identity need leave of their own. */
function trustOf(uses: readonly RoleUse[], principal: string): PolicyDocument {
  const ids = sortedSet(uses.flatMap(({ destination }) => destination.externalId ?? []))
  const sessions = uses.map(({ destination }) => destination.assumeRole ?? {})
  const ofSession = [
    ...(sessions.some(({ tags = {} }) => Object.keys(tags).length > 0) ? ['sts:TagSession'] : []),
    ...(sessions.some(({ sourceIdentity }) => sourceIdentity !== undefined) ? ['sts:SetSourceIdentity'] : []),
  ]
  return policy([
    {
      Effect: 'Allow',
      Principal: { AWS: principal },
      Action: ofSession.length > 0 ? ['sts:AssumeRole', ...ofSession] : 'sts:AssumeRole',
      Condition: { StringEquals: { 'sts:ExternalId': ids.length === 1 ? ids[0] : ids } },
    },
  ])
}

function policy(statements: readonly object[]): PolicyDocument {
  return { Version: '2012-10-17', Statement: statements }
}

function sortedSet(values: readonly string[]): string[] {
  return [...new Set(values)].sort()
}
