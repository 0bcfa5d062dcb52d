import type { Clock } from '../plugin/clock.js'
import type { Logger } from '../plugin/logger.js'
import type { DestinationConfiguration } from '../plugin/settings/configuration.js'
import type { Spill } from '../plugin/spill/spill.js'
import { spillTargets } from '../plugin/spill/spill-target.js'

const LOOK_MS = 60_000

export interface StrandedSpillOptions {
  readonly store: Pick<Spill, 'targets'>
  /** Those that are served now. */
  readonly destinations: () => readonly DestinationConfiguration[]
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Tells of records that wait in the spill for a destination that this process does not have, as after its role or
 * region was changed: they were acknowledged, and nothing here sends them. Each stream is told once.
 */
export function watchStrandedSpill({ store, destinations, clock, logger }: StrandedSpillOptions) {
  const told = new Set<string>()
  let cancel = () => {}
  const look = () => {
    const keys = new Set(destinations().map((it) => spillTargets(it)('').key))
    for (const { key, stream } of store.targets()) {
      if (keys.has(key) || told.has(`${key}.${stream}`)) continue
      told.add(`${key}.${stream}`)
      logger.warn(
        `The spill holds records of stream "${stream}" that no destination here sends: its region, role, external ID or endpoint was changed, or another process has it. Change it back, or send them with the replay command; those of a queue only serve and the plugin can send`,
      )
    }
    schedule()
  }
  const schedule = () => {
    cancel = clock.after(LOOK_MS, look)
  }
  schedule()
  return { close: () => cancel() }
}
