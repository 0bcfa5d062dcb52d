import { isJsonObject, type JsonObject } from '../json-object.js'
import type { BrowserSettings } from './browser-settings.js'
import { apiHostOf, type PublicUrl } from './public-url.js'

/** What SDKs ask for before they send anything. */
export type SourceSettings = JsonObject & {
  readonly integrations: JsonObject
}

export interface SourceSettingsParts {
  readonly writeKey: string
  readonly url: PublicUrl
  /** Where it was asked for there. */
  readonly customPath?: string | undefined
  readonly browser: BrowserSettings
  /** What Segment's CDN gives for the source. */
  readonly upstream?: JsonObject | undefined
}

/** As Segment's CDN has it for a source without destinations in the browser; analytics.js loads no part for it. */
const SEGMENT_IO = {
  retryQueue: true,
  addBundledMetadata: true,
  unbundledIntegrations: [],
  maybeBundledConfigIds: {},
  versionSettings: { version: '4.4.7', componentTypes: ['browser', 'ios', 'android'] },
}

/** Objects where analytics-kotlin takes objects: it cannot read settings with a null or a list in their place. */
const SETTINGS = {
  plan: {
    track: { __default: { enabled: true, integrations: {} } },
    identify: { __default: { enabled: true } },
    group: { __default: { enabled: true } },
  },
  edgeFunction: {},
  analyticsNextEnabled: true,
  middlewareSettings: {},
  enabledMiddleware: {},
  legacyVideoPluginsEnabled: false,
  remotePlugins: [],
}

/** SDKs tell of themselves at hosts of Segment's that some of them have built in. */
const NO_METRICS = { sampleRate: 0 }

/**
 * A source's settings, as analytics.js and the phone SDKs read them: they send events to this server. Where Segment's
 * own are given they are kept, but for what says where events go and how.
 */
export function sourceSettings({
  writeKey,
  url,
  customPath,
  browser: { deliveryStrategy, httpConfig },
  upstream = SETTINGS,
}: SourceSettingsParts): SourceSettings {
  const integrations = objectIn(upstream, 'integrations')
  return {
    ...upstream,
    integrations: {
      ...integrations,
      'Segment.io': {
        ...SEGMENT_IO,
        ...objectIn(integrations, 'Segment.io'),
        apiKey: writeKey,
        apiHost: apiHostOf(url, customPath),
        protocol: url.protocol,
        ...(deliveryStrategy !== undefined && { deliveryStrategy }),
        // Here, not at the top, is where analytics.js and the Swift, Kotlin and React Native SDKs read it.
        ...(httpConfig !== undefined && { httpConfig }),
      },
    },
    metrics: NO_METRICS,
  }
}

function objectIn(parent: JsonObject, name: string): JsonObject {
  const value = parent[name]
  return isJsonObject(value) ? value : {}
}
