export type { DeadLetter, DeadLetterCode } from '../plugin/dead-letters/dead-letter.js'
export type { DeadLetterSettings } from '../plugin/settings/dead-letter-settings.js'
export type {
  DedupeConfig,
  ForwardConfig,
  ProxyConfig,
  RateLimitConfig,
  SourceConfig,
} from './config/proxy-config.js'
export { type FirehoseProxy, firehoseProxy } from './firehose-proxy.js'
export type { ForwarderStats } from './forward/forwarder.js'
export { answerBrokenRequests } from './http/broken-request.js'
export type { TrustSetting } from './http/client-address.js'
export type { RequestEntry } from './http/request-entry.js'
export type { RequestCounts } from './http/responder.js'
export type { IpPolicy } from './intake/ip-policy.js'
export type { ProxyReport } from './proxy-report.js'
export type { ProxyStats, SourceStats } from './proxy-stats.js'
export type { Readiness } from './readiness.js'
export type { BrowserSettings, DeliveryStrategy, HttpConfig } from './web/browser-settings.js'
