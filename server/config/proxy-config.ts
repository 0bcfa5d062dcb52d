import type { Logger } from '../../plugin/logger.js'
import type { DeadLetterSettings } from '../../plugin/settings/dead-letter-settings.js'
import type { DestinationSettings, SpillSettings } from '../../plugin/settings/settings.js'
import type { TrustSetting } from '../http/client-address.js'
import type { RequestEntry } from '../http/request-entry.js'
import type { IpPolicy } from '../intake/ip-policy.js'
import type { TimestampPolicy } from '../intake/timestamps.js'
import type { BrowserSettings } from '../web/browser-settings.js'

/** `sourceId` is the source's `id` unless given; memory and spill are those of the proxy. */
type SourceDestination = Omit<DestinationSettings, 'maxBufferedBytes' | 'spill'>

/** How much a source may send: `limit`, `maxEvents` or both. */
export interface RateLimitConfig {
  /** Requests in a window at most. @default no limit of requests */
  readonly limit?: number | undefined
  /** Length of a window, in ms. @default 1000 */
  readonly windowMs?: number | undefined
  /**
   * Events in a window at most, those that turn out to be invalid included. A batch that holds more than a whole window
   * allows is taken when a window begins, and uses up as many windows as its events fill.
   *
   * @default no limit of events
   */
  readonly maxEvents?: number | undefined
}

/** How long a `messageId` is remembered, so that an event that comes twice is delivered once. */
export interface DedupeConfig {
  /** How long at the least, and one and a half times that at the most, in ms. @default 600000 */
  readonly windowMs?: number | undefined
  /** IDs remembered at most; the latest half of them for certain. @default 100000 */
  readonly maxEntries?: number | undefined
}

/** Where a source's requests are handed on to, besides being delivered. */
export interface ForwardConfig {
  /** Base URL of Segment's tracking API. @default 'https://api.segment.io' */
  readonly url?: string | undefined
  /** `false` stops forwarding at once, and drops what waits. @default true */
  readonly enabled?: boolean | undefined
  /** Bytes that may wait for it; beyond them requests are not forwarded, and counted. @default 8388608 */
  readonly maxQueuedBytes?: number | undefined
  /**
   * Base URL of Segment's CDN, such as `https://cdn.segment.com`, to have the settings of destinations that run in the
   * browser from; they are rewritten to point here. @default none: settings name no other destination
   */
  readonly cdn?: string | undefined
}

/** A Segment source: whose events are taken, and where they go. */
export interface SourceConfig {
  /** Segment's source ID: the external ID of the role, unless `destination.secretId` is set. */
  readonly id: string
  /** What logs and counts call the source. @default its place in the list, such as `sources[0]` */
  readonly name?: string | undefined
  /**
   * The key that senders show; several while one replaces another. `undefined`, as of a variable that is not set, is
   * an error at the start.
   */
  readonly writeKey: string | readonly string[] | undefined
  /** Where its events go; several where each event goes to all of them. */
  readonly destination: SourceDestination | readonly SourceDestination[]
  /** `false` refuses its events with 401. @default true */
  readonly enabled?: boolean | undefined
  /**
   * Origins of the pages that may send, such as `https://www.example.com` or `https://*.example.com`; `*` for all. A
   * page on the proxy's own host always may; `publicUrl`, if set, says which host that is. @default '*'
   */
  readonly origins?: string | readonly string[] | undefined
  /** What becomes of `context.ip`: `truncate` keeps 24 bits of IPv4 and 48 of IPv6. @default 'keep' */
  readonly ip?: IpPolicy | undefined
  /**
   * What `timestamp` is where the sender's clock looks wrong: `segment` corrects it by Segment's formula, `keep` leaves
   * the sender's own time. @default 'segment'
   */
  readonly timestamps?: TimestampPolicy | undefined
  /** Beyond it requests are answered 429 with Retry-After. @default none */
  readonly rateLimit?: RateLimitConfig | undefined
  /** `false` delivers an event as often as it comes. @default { windowMs: 600000, maxEntries: 100000 } */
  readonly dedupe?: DedupeConfig | false | undefined
  /** How analytics.js sends: in the settings that browsers load. @default {} */
  readonly browser?: BrowserSettings | undefined
  /** Hands requests on to Segment as well. @default none */
  readonly forward?: ForwardConfig | undefined
}

/** What `firehoseProxy` takes: the content of `analytics-firehose.yaml` but for `listen` and `metrics`. */
export interface ProxyConfig {
  readonly sources: readonly SourceConfig[]
  /**
   * Bytes held in memory over all sources, with 512 for each record beside its data; at the cap requests are answered
   * 503.
   *
   * @default 67108864
   */
  readonly maxBufferedBytes?: number | undefined
  /** AWS clients held at most, one for each region, role and external ID. @default 100 */
  readonly maxClients?: number | undefined
  /**
   * Directory, or URL of an SQS queue, for records that cannot be delivered in time, of all sources: they are
   * acknowledged once they are in it, and sent from there when their stream takes records again, by a later process too.
   * @default none: such requests are answered 503; `serve`: './spill'
   */
  readonly spill?: string | SpillSettings | undefined
  /**
   * Place of the events that can never be delivered: a directory, the URL of an SQS queue, or `s3://BUCKET/PREFIX`, which
   * needs the package @aws-sdk/client-s3. Queue and bucket are used with the ambient AWS credentials. Without a place such
   * events are only logged, without payload.
   * @default none; `serve`: './dead-letters'
   */
  readonly deadLetters?: string | DeadLetterSettings | undefined
  /**
   * Which proxies in front are believed when they name the client's address, protocol and host: their number, their
   * addresses (CIDR, or `loopback`, `linklocal`, `uniquelocal`), or `true` for all. If a header has several values, the
   * one that the last trusted proxy added counts. @default false
   */
  readonly trustProxy?: TrustSetting | undefined
  /**
   * URL at which clients reach this proxy, mount path included. Settings and scripts point there, and pages on its host
   * may always send. No request header overrides it.
   * @default what each request asked for
   */
  readonly publicUrl?: string | undefined
  /** A path, such as `/e7`, below which all that browsers need stands again under names no blocker knows. @default none */
  readonly customPath?: string | undefined
  /**
   * Whether to serve the paths of Segment's API without `/v1` as well (`/b`, `/batch`, `/t`,
   * `/projects/:writeKey/settings`). SDKs that are configured with a bare host use them.
   * @default true in `serve` and for a handler that is called without `next`; false in an app, which may have such paths
   */
  readonly unversionedPaths?: boolean | undefined
  /** Called with each request that was answered, for an access log. SECURITY: holds no key, no path and no address. */
  readonly onRequest?: ((entry: RequestEntry) => void) | undefined
  /** Where notices go. @default console */
  readonly logger?: Logger | undefined
}

/** Where `serve` listens. */
interface ListenConfig {
  /** @default 127.0.0.1 */
  readonly host?: string | undefined
  /** 0 takes any free one. @default 8080 */
  readonly port?: number | undefined
  /**
   * Maximum size of a request's headers and URL in bytes, from 1,024 to 1,048,576. Larger requests are answered 431. On
   * a host of the site's own domain, browsers send the site's cookies along. @default Node's limit, 16384
   */
  readonly maxHeaderBytes?: number | undefined
}

/** Where `serve` has a page of what it counts, for Prometheus. */
interface MetricsConfig {
  /** SECURITY: the page has no password. @default 127.0.0.1 */
  readonly host?: string | undefined
  /** 0 takes any free one. @default none: there is no page */
  readonly port?: number | undefined
}

/** The content of `analytics-firehose.yaml`. */
export interface ServeConfig extends ProxyConfig {
  readonly listen?: ListenConfig | undefined
  readonly metrics?: MetricsConfig | undefined
}
