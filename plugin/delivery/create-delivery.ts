import { type ClientPool, createClientPool } from '../aws/client-pool.js'
import { createLazyPut } from '../aws/sdk.js'
import { type Clock, systemClock } from '../clock.js'
import { guarded } from '../logger.js'
import { type DestinationConfiguration, parseSettings } from '../settings/configuration.js'
import type { DestinationSettings } from '../settings/settings.js'
import { openSpill } from '../spill/open-spill.js'
import { spillTargets } from '../spill/spill-target.js'
import { ByteBudget } from './byte-budget.js'
import type { Delivery } from './delivery.js'
import { FirehoseDelivery } from './firehose-delivery.js'
import type { SpillParts } from './spilling.js'

/** Options of {@link createDelivery}. */
export interface DeliveryOptions {
  /** Of the destination; `mappedStreams` is checked but not used: records name their streams. */
  readonly settings: DestinationSettings
  /** Share one among deliveries. @default one of its own, closed with it */
  readonly pool?: ClientPool | undefined
}

/**
 * Makes a delivery: for each stream a queue, a limit on calls, a backoff and a circuit of its own.
 *
 * @throws FirehoseError `ERR_SETTINGS`
 *
 * @example
 * const delivery = createDelivery({ settings })
 * const [outcome] = await delivery.deliver([{ stream: 'new_users', data: Buffer.from('{}\n') }])
 * if (outcome.status === 'delivered') console.log(outcome.recordId)
 * await delivery.close()
 */
export function createDelivery({ settings, pool }: DeliveryOptions): Delivery {
  const configuration = parseSettings(settings)
  const { spill: kept, logger } = configuration
  const spill = kept && openSpill({ configuration: kept, clock: systemClock, logger: guarded(logger) })
  const own = pool === undefined ? createClientPool() : undefined
  const release = async () => {
    await spill?.close()
    own?.close()
  }
  return deliveryOf(configuration, { pool: pool ?? (own as ClientPool), spill, release })
}

/** {@link createDelivery} for settings already parsed. */
export function deliveryOf(
  configuration: DestinationConfiguration,
  parts: {
    pool: ClientPool
    budget?: ByteBudget | undefined
    clock?: Clock | undefined
    spill?: SpillParts | undefined
    owner?: (() => string) | undefined
    release?: () => Promise<void>
  },
): Delivery {
  const {
    pool,
    clock = systemClock,
    budget = new ByteBudget(configuration.maxBufferedBytes),
    spill,
    owner,
    release,
  } = parts
  const { requestTimeout, externalId, region, roleAddress, kmsKeys } = configuration
  const put = createLazyPut({
    client: () => pool.get(configuration),
    requestTimeout,
    externalId,
    clock,
    region,
    roleAddress,
    kmsKeys,
  })
  return new FirehoseDelivery(configuration, {
    put,
    budget,
    clock,
    spill: spill && { ...spill, targetOf: spillTargets(configuration) },
    owner,
    ...(release && { release }),
  })
}
