import type { Logger } from '../../plugin/logger.js'
import type { DestinationSettings } from '../../plugin/settings/settings.js'

/** A Segment source: whose events are taken, and where they go. */
export interface SourceConfig {
  /** Segment's source ID: the external ID of the role, unless `destination.secretId` is set. */
  readonly id: string
  /** What logs and counts call the source. @default its place in the list, such as `sources[0]` */
  readonly name?: string | undefined
  /** The key that senders show; several while one replaces another. */
  readonly writeKey: string | readonly string[]
  /** `sourceId` is the source's `id` unless given; memory is capped for all sources by `maxBufferedBytes`. */
  readonly destination: Omit<DestinationSettings, 'maxBufferedBytes'>
}

/** What `firehoseProxy` takes: the content of `analytics-firehose.yaml` but for `listen`. */
export interface ProxyConfig {
  readonly sources: readonly SourceConfig[]
  /** Bytes held in memory over all sources; at the cap requests are answered 503. @default 67108864 */
  readonly maxBufferedBytes?: number | undefined
  /** AWS clients held at most, one for each region, role and external ID. @default 100 */
  readonly maxClients?: number | undefined
  /**
   * Directory for the events that can never be delivered. Without one they are only logged, without payload.
   * @default none; `serve`: './dead-letters'
   */
  readonly deadLetters?: string | undefined
  /** Where notices go. @default console */
  readonly logger?: Logger | undefined
}

/** Where `serve` listens. */
interface ListenConfig {
  /** @default 127.0.0.1 */
  readonly host?: string | undefined
  /** 0 takes any free one. @default 8080 */
  readonly port?: number | undefined
}

/** The content of `analytics-firehose.yaml`. */
export interface ServeConfig extends ProxyConfig {
  readonly listen?: ListenConfig | undefined
}
