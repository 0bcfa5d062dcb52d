/** Off: SDKs would send their own errors and metrics to hosts of RudderStack's. */
const NO_STATISTICS = { errors: { enabled: false }, metrics: { enabled: false } }

/**
 * What RudderStack's SDKs load before they send anything: a source that is switched on and has no destination of its own
 * on the device. Its members are those without which one of the SDKs for JavaScript, Android, iOS, Kotlin and Swift
 * refuses all of it.
 *
 * SECURITY: the ID of our source is the external ID of its role, mostly, so that the write key stands in for it, which
 * the asker has.
 *
 * @see https://github.com/rudderlabs/rudder-sdk-kotlin, `SourceConfig.kt`
 * @see https://github.com/rudderlabs/rudder-sdk-js, `isValidSourceConfig`
 */
export function sourceConfig(writeKey: string) {
  return {
    source: {
      id: writeKey,
      name: 'analytics-firehose',
      writeKey,
      enabled: true,
      workspaceId: 'analytics-firehose',
      updatedAt: '1970-01-01T00:00:00.000Z',
      config: { statsCollection: NO_STATISTICS },
      destinations: [],
    },
  }
}
