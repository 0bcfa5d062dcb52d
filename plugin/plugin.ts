import { setTimeout } from 'node:timers/promises'
import type { Analytics, Context, Plugin } from '@segment/analytics-node'
import { createClientPool } from './aws/client-pool.js'
import { preloadSdk } from './aws/sdk.js'
import { systemClock } from './clock.js'
import type { CloseOptions } from './delivery/delivery.js'
import type { StreamReport } from './delivery/stats.js'
import { createDestination, type DestinationStats } from './destination.js'
import { enveloped } from './envelope.js'
import { DESTINATION_NAME } from './integrations.js'
import { guarded } from './logger.js'
import { VERSION } from './package-version.js'
import { parseSettings } from './settings/configuration.js'
import type { DestinationSettings } from './settings/settings.js'
import { openSpill } from './spill/open-spill.js'
import { UnmappedNotice } from './unmapped-notice.js'

/** Turns of the event loop from `track()` to here: one with analytics-node 2 and 3, the others are to spare. */
const TURNS_TO_HAND_OVER = 3

/** The plugin, and beside its own members what a program needs of it. */
export interface KinesisFirehosePlugin extends Plugin {
  /**
   * Sends what was tracked until now; resolves when all of it is settled. For AWS Lambda: at the end of a handler.
   * An event that a plugin of yours holds up before ours gets it is not waited for.
   */
  flush(): Promise<void>
  /** Takes nothing more in, sends the rest, and reports by stream. Deregistering the plugin does the same. */
  close(options?: CloseOptions): Promise<Readonly<Record<string, StreamReport>>>
  /** Counts since the start, and how the streams stand now. */
  stats(): DestinationStats
}

/**
 * Makes the destination plugin "Amazon Kinesis Firehose" for `@segment/analytics-node`.
 *
 * An event's callback comes without error only when every one of its records has its RecordId from Firehose, or is in
 * the spill where `spill` is set; otherwise it gets the reason, a {@link FirehoseError}, and so does the `error` event.
 *
 * @throws FirehoseError `ERR_SETTINGS`
 *
 * @example
 * const analytics = new Analytics({ writeKey: 'unused' })
 * await analytics.deregister('Segment.io') // only where Segment shall not get the events too
 * await analytics.register(kinesisFirehose({
 *   region: 'eu-west-1',
 *   roleAddress: 'arn:aws:iam::123456789012:role/segment-firehose',
 *   secretId: process.env.FIREHOSE_EXTERNAL_ID,
 *   mappedStreams: [{ event: 'User Registered', stream: 'new_users' }],
 * }))
 */
export function kinesisFirehose(settings: DestinationSettings): KinesisFirehosePlugin {
  const pool = createClientPool({ max: 1 })
  const configuration = parseSettings(settings)
  const { spill: kept } = configuration
  const logger = guarded(configuration.logger)
  const spill = kept && openSpill({ configuration: kept, clock: systemClock, logger })
  const destination = createDestination(configuration, { pool, spill })
  const unmapped = new UnmappedNotice({ logger, clock: systemClock })
  let library: { name: string; version: string } | undefined

  const action = async (ctx: Context): Promise<Context> => {
    try {
      const receivedAt = new Date(systemClock.wallTime()).toISOString()
      const event = enveloped(ctx.event, { library, sourceId: configuration.sourceId, receivedAt })
      const [outcome] = await destination.deliver([event])
      const [failure] = outcome?.status === 'failed' ? outcome.failures : []
      if (failure !== undefined) throw failure.error
      if (outcome?.status === 'unmapped') unmapped.note([event])
    } catch (reason) {
      // What is thrown from here would be swallowed; this reaches the callback and the `error` event.
      ctx.setFailedDelivery({ reason })
    }
    return ctx
  }

  /** Analytics hands an event over in a later turn of the event loop than that of `track()`. */
  const allHandedOver = async () => {
    for (let turn = 0; turn < TURNS_TO_HAND_OVER; turn++) await setTimeout(0)
  }

  const close = async (options?: CloseOptions) => {
    await allHandedOver()
    const report = await destination.close(options)
    unmapped.flush()
    await spill?.close()
    pool.close()
    return report
  }

  return {
    name: DESTINATION_NAME,
    type: 'destination',
    version: VERSION,
    isLoaded: () => true,
    // Must not fail for what can heal: a plugin whose load() rejects is removed, and its events vanish silently.
    async load(_ctx: Context, analytics: Analytics) {
      preloadSdk({ assumesRoles: configuration.roleAddress !== undefined }).catch(ignore)
      library = { name: '@segment/analytics-node', version: analytics.VERSION }
    },
    async unload() {
      await close()
    },
    track: action,
    page: action,
    screen: action,
    identify: action,
    group: action,
    alias: action,
    async flush() {
      await allHandedOver()
      await destination.flush()
    },
    close,
    stats: () => destination.stats(),
  }
}

/** The first event fails in its turn, and tells why. */
function ignore(): void {}
