import { describe, expect, it } from '@jest/globals'
import type { PublicUrl } from '../../../server/web/public-url.js'
import { sourceSettings } from '../../../server/web/source-settings.js'

const URL_: PublicUrl = { protocol: 'https', host: 'events.example.com', path: '/mount', isConfigured: true }
const WRITE_KEY = 'key'

const UPSTREAM = {
  integrations: {
    'Segment.io': {
      apiKey: 'other',
      apiHost: 'api.segment.io/v1',
      unbundledIntegrations: ['Amplitude'],
      maybeBundledConfigIds: { Amplitude: ['1'] },
      retryQueue: false,
      httpConfig: { backoffConfig: { maxRetryCount: 3 } },
    },
    Amplitude: { apiKey: 'a', bundlingStatus: 'bundled' },
  },
  plan: { track: { Bought: { enabled: false } } },
  middlewareSettings: { routingRules: [{ scope: 'destination' }] },
  enabledMiddleware: { m: true },
  remotePlugins: [{ name: 'p', url: 'https://cdn.segment.com/next-integrations/actions/p.js' }],
  consentSettings: { allCategories: ['C1'], hasUnmappedDestinations: false },
  metrics: { sampleRate: 0.1, host: 'api.segment.io/v1' },
  somethingNew: 1,
}

describe('sourceSettings', () => {
  it('leads every SDK to this server', () => {
    const { integrations, metrics } = sourceSettings({ writeKey: WRITE_KEY, url: URL_, browser: {} })
    expect(integrations).toEqual({
      'Segment.io': {
        apiKey: WRITE_KEY,
        apiHost: 'events.example.com/mount/v1',
        protocol: 'https',
        retryQueue: true,
        addBundledMetadata: true,
        unbundledIntegrations: [],
        maybeBundledConfigIds: {},
        versionSettings: { version: '4.4.7', componentTypes: ['browser', 'ios', 'android'] },
      },
    })
    expect(metrics).toEqual({ sampleRate: 0 })
  })

  it('speaks http where this server does, and the custom path where it was asked there', () => {
    const { integrations } = sourceSettings({
      writeKey: WRITE_KEY,
      url: { protocol: 'http', host: 'localhost:8080', path: '', isConfigured: false },
      customPath: '/x7',
      browser: {},
    })
    expect(integrations['Segment.io']).toMatchObject({ apiHost: 'localhost:8080/x7', protocol: 'http' })
  })

  it('makes analytics.js load no part', () => {
    const settings = sourceSettings({ writeKey: WRITE_KEY, url: URL_, browser: {} })
    expect(Object.keys(settings.integrations)).toEqual(['Segment.io'])
    expect(settings).toMatchObject({
      middlewareSettings: {},
      enabledMiddleware: {},
      remotePlugins: [],
      legacyVideoPluginsEnabled: false,
    })
  })

  it('has objects where analytics-kotlin decodes objects', () => {
    const settings = sourceSettings({ writeKey: WRITE_KEY, url: URL_, browser: {} })
    const decoded = [
      'integrations',
      'plan',
      'edgeFunction',
      'middlewareSettings',
      'metrics',
      'consentSettings',
      'autoInstrumentation',
    ]
    const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value)
    expect(decoded.filter((name) => name in settings && !isObject(settings[name]))).toEqual([])
  })

  it('tells how to send, with Segment.io', () => {
    const deliveryStrategy = { strategy: 'batching', config: { size: 20 } } as const
    const httpConfig = { backoffConfig: { maxRetryCount: 5 } }
    const { integrations } = sourceSettings({
      writeKey: WRITE_KEY,
      url: URL_,
      browser: { deliveryStrategy, httpConfig },
    })
    expect(integrations['Segment.io']).toMatchObject({ deliveryStrategy, httpConfig })
  })

  it('keeps all of Segment’s own settings but for where events go', () => {
    const before = structuredClone(UPSTREAM)
    const settings = sourceSettings({ writeKey: WRITE_KEY, url: URL_, browser: {}, upstream: UPSTREAM })
    expect(settings).toEqual({
      ...UPSTREAM,
      integrations: {
        Amplitude: UPSTREAM.integrations.Amplitude,
        'Segment.io': {
          ...UPSTREAM.integrations['Segment.io'],
          apiKey: WRITE_KEY,
          apiHost: 'events.example.com/mount/v1',
          protocol: 'https',
          addBundledMetadata: true,
          versionSettings: { version: '4.4.7', componentTypes: ['browser', 'ios', 'android'] },
        },
      },
      metrics: { sampleRate: 0 },
    })
    expect(UPSTREAM).toEqual(before)
  })

  it.each([{}, { integrations: null }, { integrations: { 'Segment.io': 'odd' } }])(
    'bears odd settings of Segment’s: %j',
    (upstream) => {
      const { integrations } = sourceSettings({ writeKey: WRITE_KEY, url: URL_, browser: {}, upstream })
      expect(integrations['Segment.io']).toMatchObject({ apiKey: WRITE_KEY, retryQueue: true })
    },
  )
})
