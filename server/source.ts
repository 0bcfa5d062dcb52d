import type { ByteBudget } from '../plugin/delivery/byte-budget.js'
import type { Destination } from '../plugin/destination.js'
import type { UnmappedNotice } from '../plugin/unmapped-notice.js'
import type { CdnMirror } from './forward/cdn-mirror.js'
import type { Forwarder } from './forward/forwarder.js'
import type { AllowedOrigins } from './http/allowed-origins.js'
import type { RateLimit } from './http/rate-limit.js'
import type { Deduplicator } from './intake/deduplicator.js'
import type { IpPolicy } from './intake/ip-policy.js'
import type { TimestampPolicy } from './intake/timestamps.js'
import type { BrowserSettings } from './web/browser-settings.js'

/** A Segment source at work. */
export interface Source {
  /** SECURITY: the external ID of its role, mostly; logs, counts and messages say `name`. */
  readonly id: string
  readonly name: string
  readonly writeKeys: readonly string[]
  /** Switched off, it takes nothing. */
  readonly enabled: boolean
  readonly destination: Destination
  /** The part of the memory that the source may have, for its destination and for large bodies that are worked on. */
  readonly memory?: ByteBudget
  readonly unmapped: UnmappedNotice
  /** Of pages that may send. */
  readonly origins: AllowedOrigins
  readonly ip: IpPolicy
  readonly timestamps: TimestampPolicy
  /** Of requests. */
  readonly rateLimit: RateLimit | undefined
  /** Of the events in them. */
  readonly eventRateLimit: RateLimit | undefined
  readonly duplicates: Deduplicator | undefined
  readonly browser: BrowserSettings
  readonly forwarder: Forwarder | undefined
  /** Where the settings of destinations that run in the browser come from. */
  readonly cdn: CdnMirror | undefined
}
