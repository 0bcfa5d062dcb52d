import type { SourceConfiguration } from '../config/source-configuration.js'
import { assumeRoles } from './assume-roles.js'
import { CommandError } from './command-error.js'
import { loadConfig } from './load-config.js'
import { createLog } from './log.js'
import { logNodeWarnings } from './node-warnings.js'
import type { Terminal } from './terminal.js'
import { tryPlaces } from './try-places.js'

export interface CheckFlags {
  readonly config: string
  readonly aws?: true
}

/** What the command `check` does. */
export async function runCheck({ config, aws }: CheckFlags, terminal: Terminal): Promise<void> {
  const logger = createLog({ level: 'warn', format: 'text', write: terminal.err })
  logNodeWarnings(logger)
  const configuration = await loadConfig(config, { env: terminal.env, logger })
  const { sources } = configuration
  terminal.out(`${config} is right, and has ${sources.length} source(s):`)
  for (const line of sources.flatMap(waysOf)) terminal.out(`  ${line}`)
  if (!aws) return
  const { roles, problems } = await assumeRoles(sources)
  const places = await tryPlaces(configuration)
  if (problems.length + places.length > 0) throw new CommandError([...problems, ...places])
  terminal.out(roles > 0 ? 'AWS: all roles can be assumed' : 'AWS: there are credentials')
}

/** Where a source's events go. SECURITY: by its name; its ID is an external ID. */
function waysOf({ name, enabled, destinations }: SourceConfiguration): string[] {
  return destinations.map(({ mapping, roleAddress, region }) => {
    const streams = [...new Set(mapping.map(({ stream }) => stream))].join(', ')
    const by = roleAddress ?? 'the AWS credentials of this machine'
    return `${name}${enabled ? '' : ' (switched off)'} → ${streams || 'no stream'} in ${region}, by ${by}`
  })
}
