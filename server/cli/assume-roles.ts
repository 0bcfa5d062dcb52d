import type { PooledClient } from '../../plugin/aws/client.js'
import { createClientPool } from '../../plugin/aws/client-pool.js'
import { classify, isWithoutCredentials } from '../../plugin/aws/error-classes.js'
import { explainError } from '../../plugin/aws/error-fixes.js'
import { FirehoseError } from '../../plugin/errors.js'
import type { DestinationConfiguration } from '../../plugin/settings/configuration.js'
import { someAtATime } from '../../plugin/spill/some-at-a-time.js'
import type { SourceConfiguration } from '../config/source-configuration.js'

/** STS throttles an account that asks for more at once. */
const MOST_AT_A_TIME = 8

/** What came of it. */
export interface AssumedRoles {
  /** How many were asked for. */
  readonly roles: number
  /** A line for each client that gets no credentials: the sources that it is for, the reason, and the fix. */
  readonly problems: readonly string[]
}

/**
 * Fetches the credentials of each client that `serve` would have for the sources that are switched on: one AssumeRole
 * each, or, without a role, a look whether there are any.
 *
 * No stream is asked after: the policies that this package asks for allow nothing but to put records.
 */
export async function assumeRoles(sources: readonly SourceConfiguration[]): Promise<AssumedRoles> {
  const uses: readonly Use[] = sources
    .filter(({ enabled }) => enabled)
    .flatMap(({ name, destinations }) => destinations.map((destination) => ({ name, destination })))
  const pool = createClientPool({ max: Math.max(1, uses.length) })
  try {
    const users = new Map<PooledClient, Use[]>()
    for (const use of uses) {
      const client = pool.get(use.destination)
      users.set(client, [...(users.get(client) ?? []), use])
    }
    const told = await someAtATime([...users], MOST_AT_A_TIME, async ([client, uses]) => {
      const problem = await problemOf(client, uses)
      return problem === undefined
        ? []
        : [`${[...new Set(uses.map(({ name }) => name))].join(', ')}: ${problem}`]
    })
    return { roles: pool.stats().assumeRoleCalls, problems: told.flat() }
  } finally {
    pool.close()
  }
}

/** A destination, and the name of the source that it is one of. */
interface Use {
  readonly name: string
  readonly destination: DestinationConfiguration
}

/** Why a client gets no credentials, and what helps. */
async function problemOf(client: PooledClient, [use]: readonly Use[]): Promise<string | undefined> {
  try {
    await client.use(({ firehose }) => firehose.config.credentials())
    return undefined
  } catch (thrown) {
    const { region = '', externalId, roleAddress } = use?.destination ?? {}
    const error = explainError(thrown, { service: 'Firehose', region, externalId, roleAddress })
    return worded(error, roleAddress)
  }
}

function worded(error: Error, roleAddress: string | undefined): string {
  // Whoever serves tries again by itself.
  if (!(error instanceof FirehoseError) || classify(error).class !== 'retry') return error.message
  const [what] = error.message.replace(`Cannot assume ${roleAddress}: `, '').split('; it will be tried again')
  const fix = isWithoutCredentials(error) ? 'then' : 'see that its STS can be reached from here, and'
  return `AWS cannot be asked for ${roleAddress}: ${what}; ${fix} try again`
}
