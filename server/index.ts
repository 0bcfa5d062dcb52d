export type { ProxyConfig, SourceConfig } from './config/proxy-config.js'
export type { DeadLetter, DeadLetterCode } from './dead-letter.js'
export { firehoseProxy } from './firehose-proxy.js'
export type { FirehoseProxy, ProxyReport, ProxyStats } from './proxy.js'
