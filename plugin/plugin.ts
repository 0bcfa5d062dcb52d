import { setTimeout } from 'node:timers/promises'
import type { Analytics, Context, Plugin } from '@segment/analytics-node'
import { createClientPool } from './aws/client-pool.js'
import { preloadSdk } from './aws/sdk.js'
import { systemClock } from './clock.js'
import type { CloseOptions } from './delivery/delivery.js'
import type { StreamReport } from './delivery/stats.js'
import { createDestination, type DestinationStats } from './destination.js'
import { enveloped } from './envelope.js'
import { guarded } from './logger.js'
import { DESTINATION_NAME } from './mapper.js'
import { VERSION } from './package-version.js'
import { parseSettings } from './settings/configuration.js'
import type { DestinationSettings } from './settings/settings.js'
import { openSpill } from './spill/open-spill.js'
import { UnmappedNotice } from './unmapped-notice.js'

/** Turns of the event loop from `track()` to here: one with analytics-node 2 and 3, the others are to spare. */
const TURNS_TO_HAND_OVER = 3

/**
 * How long a flush waits for callbacks, in ms: analytics-node calls them 300 ms after the event was tracked, or when it
 * is settled, and waits for a second for what they return.
 */
const CALLBACK_TIMEOUT_MS = 1_500

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await setTimeout(0)
}

/** The plugin, and beside its own members what a program needs of it. */
export interface KinesisFirehosePlugin extends Plugin {
  /**
   * Sends what was tracked until now. Resolves to what became of the events that were tracked since the flush before,
   * once all of them are settled and their callbacks and `error` events were called. It never rejects. For AWS Lambda:
   * at the end of a handler. An event that a plugin of yours holds up before ours gets it is not waited for.
   *
   * @example
   * const { failed } = await firehose.flush()
   */
  flush(): Promise<FlushReport>
  /** Takes nothing more in, sends the rest, and reports by stream. Deregistering the plugin does the same. */
  close(options?: CloseOptions): Promise<Readonly<Record<string, StreamReport>>>
  /** Counts since the start, and how the streams stand now. */
  stats(): DestinationStats
}

/** What became of events, in numbers. */
export interface FlushReport {
  /** Every record of them has its RecordId. */
  readonly delivered: number
  /** A record of them is in the spill, and none failed. */
  readonly spilled: number
  /** Their callbacks got the reason. */
  readonly failed: number
  /** No row of `mappedStreams` matched them. */
  readonly unmapped: number
  /** Their `integrations` keep them out. */
  readonly off: number
  /** `transform` dropped them. */
  readonly dropped: number
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
  let tracked = new TrackedEvents()

  const action = async (ctx: Context): Promise<Context> => {
    const group = tracked
    group.begin(ctx)
    let status: keyof FlushReport = 'failed'
    try {
      const receivedAt = new Date(systemClock.wallTime()).toISOString()
      const event = enveloped(ctx.event, { library, sourceId: configuration.sourceId, receivedAt })
      const [outcome] = await destination.deliver([event])
      const [failure] = outcome?.status === 'failed' ? outcome.failures : []
      if (failure !== undefined) throw failure.error
      if (outcome === undefined) throw new Error('The destination gave no outcome for an event')
      if (outcome.status === 'unmapped') unmapped.note([event])
      status = outcome.status
    } catch (reason) {
      // What is thrown from here would be swallowed; this reaches the callback and the `error` event.
      ctx.setFailedDelivery({ reason })
    }
    group.settle(status)
    return ctx
  }

  /** Analytics hands an event over in a later turn of the event loop than that of `track()`. */
  const allHandedOver = () => turns(TURNS_TO_HAND_OVER)

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
      analytics.on('error', ({ ctx }) => TrackedEvents.callBack(ctx))
      for (const type of EVENT_TYPES) analytics.on(type, TrackedEvents.callBack)
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
      const group = tracked
      tracked = new TrackedEvents()
      await Promise.all([destination.flush(), group.settled()])
      await group.calledBack(CALLBACK_TIMEOUT_MS)
      return group.report
    },
    close,
    stats: () => destination.stats(),
  }
}

/** The first event fails in its turn, and tells why. */
function ignore(): void {}

// What analytics-node emits once an event's callback was called.
const EVENT_TYPES = ['track', 'page', 'screen', 'identify', 'group', 'alias'] as const

/** The group that an event belongs to, until its callback was called. */
const GROUP = Symbol('TrackedEvents')

/** The events between one flush and the next. */
class TrackedEvents {
  readonly report = { delivered: 0, spilled: 0, failed: 0, unmapped: 0, off: 0, dropped: 0 }
  #unsettled = 0
  #uncalled = 0
  #resolve = () => {}

  /** Notes that analytics-node has called the event's callback, or has none to call. */
  static callBack(this: void, ctx: unknown): void {
    const context = ctx as { [GROUP]?: TrackedEvents } | undefined
    const group = context?.[GROUP]
    if (group === undefined) return
    delete context?.[GROUP]
    group.#uncalled--
    group.#look()
  }

  begin(ctx: Context): void {
    ;(ctx as { [GROUP]?: TrackedEvents })[GROUP] = this
    this.#unsettled++
    this.#uncalled++
  }

  settle(status: keyof FlushReport): void {
    this.report[status]++
    this.#unsettled--
    this.#look()
  }

  /** Resolves once all that have begun are settled. No more may begin. */
  settled(): Promise<void> {
    return this.#when(() => this.#unsettled === 0)
  }

  /** Resolves once the callbacks of all were called, or after so many ms. */
  async calledBack(timeoutMs: number): Promise<void> {
    const timer = new AbortController()
    const timeout = setTimeout(timeoutMs, undefined, { signal: timer.signal }).catch(() => {})
    await Promise.race([this.#when(() => this.#uncalled === 0), timeout])
    timer.abort()
  }

  #when(isSo: () => boolean): Promise<void> {
    if (isSo()) return Promise.resolve()
    return new Promise((resolve) => {
      this.#resolve = () => {
        if (isSo()) resolve()
      }
    })
  }

  #look(): void {
    if (this.#unsettled === 0 || this.#uncalled === 0) this.#resolve()
  }
}
