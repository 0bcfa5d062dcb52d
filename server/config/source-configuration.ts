import type { DestinationConfiguration } from '../../plugin/settings/configuration.js'
import { showPath } from '../../plugin/settings/problems.js'
import type { IpPolicy } from '../intake/ip-policy.js'
import type { TimestampPolicy } from '../intake/timestamps.js'
import type { BrowserSettings } from '../web/browser-settings.js'
import type { ForwardConfig } from './proxy-config.js'
import type { SourceValues } from './schema.js'

/** analytics.js and retrying senders send an event again within minutes. */
const DEDUPE_WINDOW_MS = 10 * 60_000
const DEDUPE_ENTRIES = 100_000

const SEGMENT_API = 'https://api.segment.io'
const FORWARD_QUEUE_BYTES = 8 * 1024 * 1024

/** Where requests are handed on to, checked and complete. */
export interface ForwardConfiguration {
  readonly url: string
  readonly enabled: boolean
  readonly maxQueuedBytes: number
  readonly cdn: string | undefined
}

/** What a source may send in a window, checked and complete. */
export interface RateLimitConfiguration {
  /** Requests. */
  readonly limit: number | undefined
  readonly maxEvents: number | undefined
  readonly windowMs: number
}

/** One source, checked and complete. */
export interface SourceConfiguration {
  /** SECURITY: the external ID of its role, mostly; logs and messages say `name`. */
  readonly id: string
  readonly name: string
  readonly writeKeys: readonly string[]
  readonly enabled: boolean
  readonly destinations: readonly DestinationConfiguration[]
  readonly origins: '*' | readonly string[]
  readonly ip: IpPolicy
  readonly timestamps: TimestampPolicy
  readonly rateLimit: RateLimitConfiguration | undefined
  readonly dedupe: { readonly windowMs: number; readonly maxEntries: number } | undefined
  readonly browser: BrowserSettings
  readonly forward: ForwardConfiguration | undefined
}

/** Fills in what a source's settings leave out. */
export function sourceConfigurationOf(
  { id, name, writeKey, origins, rateLimit, dedupe, forward, ...values }: SourceValues,
  index: number,
  destinations: readonly DestinationConfiguration[],
): SourceConfiguration {
  return {
    id,
    name: name ?? showPath(['sources', index]),
    writeKeys: typeof writeKey === 'string' ? [writeKey] : writeKey,
    enabled: values.enabled ?? true,
    destinations,
    origins: originsOf(origins),
    ip: values.ip ?? 'keep',
    timestamps: values.timestamps ?? 'segment',
    rateLimit: rateLimit && {
      limit: rateLimit.limit,
      maxEvents: rateLimit.maxEvents,
      windowMs: rateLimit.windowMs ?? 1_000,
    },
    dedupe:
      dedupe === false
        ? undefined
        : {
            windowMs: dedupe?.windowMs ?? DEDUPE_WINDOW_MS,
            maxEntries: dedupe?.maxEntries ?? DEDUPE_ENTRIES,
          },
    browser: values.browser ?? {},
    forward: forward && forwardOf(forward),
  }
}

function originsOf(origins: string | readonly string[] | undefined): '*' | readonly string[] {
  const listed = [origins ?? '*'].flat()
  return listed.includes('*') ? '*' : listed
}

function forwardOf({ url, enabled, maxQueuedBytes, cdn }: ForwardConfig): ForwardConfiguration {
  return {
    url: url ?? SEGMENT_API,
    enabled: enabled ?? true,
    maxQueuedBytes: maxQueuedBytes ?? FORWARD_QUEUE_BYTES,
    cdn,
  }
}
