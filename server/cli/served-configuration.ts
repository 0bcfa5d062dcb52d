import { completeDeadLetters } from '../../plugin/settings/dead-letter-settings.js'
import { completeSpill } from '../../plugin/settings/spill-settings.js'
import { DEFAULT_DEAD_LETTERS } from '../config/config-file.js'
import { readServeConfig, type ServeConfiguration } from '../config/configuration.js'
import { DEMO_CONFIG } from '../demo.js'
import { type EmbeddedAws, pointedAt } from '../embedded-aws.js'
import type { RequestEntry } from '../http/request-entry.js'
import type { Log } from './log.js'

const DEFAULT_SPILL = completeSpill({ directory: './spill' })
const DEFAULT_LETTERS = completeDeadLetters({ directory: DEFAULT_DEAD_LETTERS })

/** What is served in place of what the file says. */
export function adaptation(log: Log, localAws: EmbeddedAws | undefined) {
  return (given: ServeConfiguration) => {
    const configuration = localAws === undefined ? given : pointedAt(given, localAws)
    return {
      ...configuration,
      spill: configuration.spill ?? DEFAULT_SPILL,
      // `serve` has no other routes that these paths could belong to.
      unversionedPaths: configuration.unversionedPaths ?? true,
      deadLetters: configuration.deadLetters ?? DEFAULT_LETTERS,
      onRequest: (entry: RequestEntry) => log.request(entry),
    }
  }
}

/** From what the file says to what is served. */
export type Adapt = ReturnType<typeof adaptation>

export type Served = ReturnType<Adapt>

export function demoConfiguration(logger: Log): ServeConfiguration {
  const read = readServeConfig(DEMO_CONFIG, { logger })
  if ('configuration' in read) return read.configuration
  throw new Error(read.problems.join('; '))
}
