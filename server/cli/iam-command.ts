import { Command, InvalidArgumentError, Option } from 'commander'
import { KEY_ARN, NAME_THE_KEY } from '../../plugin/settings/mapped-streams.js'
import { DEFAULT_CONFIG_FILE } from '../config/config-file.js'
import { type PolicyDocument, type RolePolicies, rolePolicies } from '../iam.js'
import { CommandError } from './command-error.js'
import { loadConfig } from './load-config.js'
import { type Principal, parsePrincipal } from './principal.js'
import type { Terminal } from './terminal.js'

const EXAMPLES = `
Policies go to stdout, headings to stderr.

Examples:
  $ analytics-firehose iam
  $ analytics-firehose iam --principal arn:aws:iam::111122223333:role/proxy --json
  $ aws iam create-role --role-name segment-firehose \\
      --assume-role-policy-document "$(analytics-firehose iam --only trust)"
  $ aws iam put-role-policy --role-name segment-firehose --policy-name firehose \\
      --policy-document "$(analytics-firehose iam --only permissions)"
`

/** Stand for a role where there is none: in what is told, and on the command line. */
const AMBIENT = 'the AWS credentials of this machine'
const NO_ROLE = 'none'

const MISSING = {
  permissions: 'give --account ID, as there is no role that tells the account',
  trust: 'there is none, as no role is assumed',
} as const

interface IamFlags {
  readonly config?: string
  readonly principal?: Principal
  readonly account?: string
  readonly kmsKey?: readonly string[]
  readonly role?: string
  readonly only?: 'permissions' | 'trust'
  readonly json?: true
}

export function iamCommand(terminal: Terminal): Command {
  return new Command('iam')
    .summary('print the IAM policies that the config file needs')
    .description('Prints, for each role in the config file, its permission policy and its trust policy.')
    .option('-c, --config <file>', 'config file', DEFAULT_CONFIG_FILE)
    .option(
      '--principal <arn>',
      "who assumes the roles: the user or role that runs this package, or an account's ID (default: anyone whom the role's own account lets)",
      parsePrincipal,
    )
    .option('--account <id>', 'AWS account of the streams of sources without a role', parseAccount)
    .option(
      '--kms-key <arn>',
      'a customer-managed key that encrypts streams, where the mapping has no kmsKey beside them; may be given again for another',
      parseKey,
    )
    .option('--role <arn>', `this role alone, or "${NO_ROLE}": ${AMBIENT}`)
    .addOption(new Option('--only <policy>', 'this policy alone').choices(['permissions', 'trust']))
    .option('--json', 'everything as one JSON document')
    .addHelpText('after', EXAMPLES)
    .action((flags: IamFlags) => runIam(flags, terminal))
}

async function runIam(flags: IamFlags, terminal: Terminal): Promise<void> {
  const { env } = terminal
  // Policies depend neither on write keys nor on a transform: they can be printed where those are not at hand.
  const context = { env, mayBeUnset: ['writeKey'], loadModule: () => (event: unknown) => event }
  const { sources } = await loadConfig(flags.config ?? DEFAULT_CONFIG_FILE, context)
  const { account, kmsKey: kmsKeys, principal: { principal, note } = {} } = flags
  const all = rolePolicies(sources, { account, principal, kmsKeys })
  const chosen = flags.role === undefined ? all : all.filter(({ role }) => (role ?? NO_ROLE) === flags.role)
  if (chosen.length === 0)
    throw new CommandError([`--role: no source assumes ${flags.role}; there is ${choiceOf(all)}`])
  if (note !== undefined) terminal.err(`# ${note}`)
  if (flags.only !== undefined && !flags.json) return terminal.out(json(theOnly(chosen, flags.only)))
  if (flags.json) return terminal.out(json(chosen.map((policies) => only(policies, flags))))
  for (const policies of chosen) print(policies, flags, terminal)
}

/** The one document that a command of the AWS CLI takes. */
function theOnly(chosen: readonly RolePolicies[], name: 'permissions' | 'trust'): PolicyDocument {
  const [policies, another] = name === 'trust' ? chosen.filter(({ role }) => role !== null) : chosen
  if (another !== undefined)
    throw new CommandError([`--only: there are several roles; name one with --role: ${choiceOf(chosen)}`])
  const policy = policies?.[name]
  if (policy) return policy
  throw new CommandError([`--only ${name}: ${MISSING[name]}`])
}

function choiceOf(all: readonly RolePolicies[]): string {
  return all.map(({ role }) => role ?? `${NO_ROLE} (${AMBIENT})`).join(', ')
}

function only({ permissions, trust, ...rest }: RolePolicies, { only }: IamFlags): object {
  return { ...rest, ...(only !== 'trust' && { permissions }), ...(only !== 'permissions' && { trust }) }
}

function print(
  { role, sources, permissions, trust }: RolePolicies,
  flags: IamFlags,
  terminal: Terminal,
): void {
  const section = (heading: string, policy: PolicyDocument | null, missing: string) => {
    terminal.err(`# ${heading}: ${policy === null ? missing : 'on stdout'}`)
    if (policy !== null) terminal.out(json(policy))
  }
  const hint = flags.principal === undefined ? '; name who runs this package with --principal ARN' : ''
  terminal.err(`# ${role ?? AMBIENT}, for ${sources.join(', ')}`)
  section('Permission policy, what it may do', permissions, MISSING.permissions)
  section(`Trust policy, who may assume it${role === null ? '' : hint}`, trust, MISSING.trust)
}

function json(value: unknown): string {
  return JSON.stringify(value, undefined, 2)
}

function parseAccount(text: string): string {
  if (/^\d{12}$/.test(text)) return text
  throw new InvalidArgumentError('An AWS account ID has 12 digits.')
}

/** Adds to those that were given before. */
function parseKey(text: string, before: readonly string[] = []): string[] {
  if (KEY_ARN.test(text)) return [...before, text]
  throw new InvalidArgumentError(`${NAME_THE_KEY.charAt(0).toUpperCase()}${NAME_THE_KEY.slice(1)}.`)
}
