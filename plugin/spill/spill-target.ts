import { createHash } from 'node:crypto'
import type { DestinationConfiguration } from '../settings/configuration.js'
import type { SpillTarget } from './spill.js'

/**
 * Names a stream and the client that writes it, the same over restarts. SECURITY: of the external ID only a digest
 * stands in file names, with what is no secret digested along, so that it cannot be looked up.
 */
export function spillTargets(configuration: DestinationConfiguration): (stream: string) => SpillTarget {
  const { region, roleAddress, externalId, endpoint } = configuration
  const identity = JSON.stringify([region, roleAddress, externalId, endpoint])
  const key = createHash('sha256').update(identity).digest('hex').slice(0, 16)
  return (stream) => ({ key, stream })
}
