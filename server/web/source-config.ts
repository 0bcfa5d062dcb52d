/** Switched off, because SDKs would report errors and metrics to RudderStack's own hosts. */
const NO_STATISTICS = { errors: { enabled: false }, metrics: { enabled: false } }

/**
 * Makes the configuration that RudderStack's SDKs load before they send anything: a source that is enabled and has no
 * device-mode destinations. At least one of the SDKs for JavaScript, Android, iOS, Kotlin and Swift rejects the
 * configuration if one of these members is missing.
 *
 * SECURITY: the source's ID is usually the external ID of its role, so the write key, which the client knows already,
 * takes its place.
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
