import { describe, expect, it } from '@jest/globals'
import { Endpoints } from '../../../server/http/endpoint.js'

const plain = new Endpoints()
const custom = new Endpoints('/e7')

describe('the endpoint of a path', () => {
  it.each<[string, unknown]>([
    ['/v1/t', { kind: 'event', type: 'track', path: '/v1/t' }],
    ['/v1/track/?x=1', { kind: 'event', type: 'track', path: '/v1/track' }],
    ['/v1/import/', { kind: 'batch', path: '/v1/import' }],
    ['http://collector.example:8080/v1/t?x=1', { kind: 'event', type: 'track', path: '/v1/t' }],
    ['/v1/m', { kind: 'telemetry', path: '/v1/m' }],
    ['/v1/pixel/page?data=e30=', { kind: 'pixel', type: 'page', path: '/v1/pixel/page' }],
    ['/v1/pixel/p', { kind: 'pixel', type: 'page', path: '/v1/pixel/p' }],
    ['/v1/projects/k%2F1/settings', { kind: 'settings', writeKey: 'k/1', isCustom: false }],
    ['/analytics.js/v1/k1/analytics.min.js', { kind: 'library', writeKey: 'k1', isCustom: false }],
    ['/analytics.js/v1/k1/analytics.js', { kind: 'library', writeKey: 'k1', isCustom: false }],
    ['/analytics-next/bundles/a.js', { kind: 'bundle', file: 'a.js' }],
    ['/next-integrations/actions/x/y.js', { kind: 'integration', path: '/next-integrations/actions/x/y.js' }],
    ['/snippet/k1', { kind: 'snippet', writeKey: 'k1' }],
    ['/v1', 'unknown'],
    ['/v1/', 'unknown'],
    ['/v1/pixel', 'unknown'],
    ['/v1/pixel/constructor', 'unknown'],
    ['/v1/projects//settings', 'unknown'],
    ['/v1/projects/%/settings', 'unknown'],
    ['/v1/projects/k1/settings/x', 'unknown'],
    ['/v12/t', 'elsewhere'],
    ['/analytics.js/v1/k1/', 'elsewhere'],
    ['/snippet', 'elsewhere'],
    ['/e7/t', 'elsewhere'],
    ['/beacon/v1/batch?writeKey=k%201', { kind: 'batch', path: '/v1/batch', keyInUrl: 'k 1' }],
    ['//beacon/v1/batch/', { kind: 'batch', path: '/v1/batch' }],
    ['/sourceConfig/?p=npm&v=3&writeKey=k1', { kind: 'sourceConfig', keyInUrl: 'k1' }],
    ['/sourceConfig?p=android&writeKey=', { kind: 'sourceConfig' }],
    ['/beacon/v1/track', 'elsewhere'],
    ['/t', 'elsewhere'],
    ['/batch', 'elsewhere'],
    ['/projects/k1/settings', 'elsewhere'],
    ['/', 'elsewhere'],
    ['', 'elsewhere'],
  ])('%s', (url, endpoint) => {
    expect(plain.at(url)).toEqual(endpoint)
  })

  it.each<[string, unknown]>([
    ['/e7/t', { kind: 'event', type: 'track', path: '/v1/t' }],
    ['/e7/b', { kind: 'batch', path: '/v1/b' }],
    ['/e7/m', { kind: 'telemetry', path: '/v1/m' }],
    ['/e7/c/k1/settings', { kind: 'settings', writeKey: 'k1', isCustom: true }],
    ['http://host/e7/c/k1/settings', { kind: 'settings', writeKey: 'k1', isCustom: true }],
    ['/e7/k1.js', { kind: 'library', writeKey: 'k1', isCustom: true }],
    ['/e7/b/a.js', { kind: 'bundle', file: 'a.js' }],
    ['/e7/next-integrations/x.js', { kind: 'integration', path: '/next-integrations/x.js' }],
    ['/e7/nothing', 'unknown'],
    ['/e7', 'elsewhere'],
    ['/e77/t', 'elsewhere'],
    ['/v1/t', { kind: 'event', type: 'track', path: '/v1/t' }],
  ])('below a custom path: %s', (url, endpoint) => {
    expect(custom.at(url)).toEqual(endpoint)
  })

  it.each<[string, unknown]>([
    ['/t', { kind: 'event', type: 'track', path: '/v1/t' }],
    ['/identify/?x=1', { kind: 'event', type: 'identify', path: '/v1/identify' }],
    ['/b', { kind: 'batch', path: '/v1/b' }],
    ['/batch/', { kind: 'batch', path: '/v1/batch' }],
    ['//import', { kind: 'batch', path: '/v1/import' }],
    ['/m', { kind: 'telemetry', path: '/v1/m' }],
    ['/pixel/track?data=e30', { kind: 'pixel', type: 'track', path: '/v1/pixel/track' }],
    ['/projects/k1/settings', { kind: 'settings', writeKey: 'k1', isCustom: false }],
    ['/', 'elsewhere'],
    ['/projects', 'elsewhere'],
    ['/T', 'elsewhere'],
    ['/v2/t', 'elsewhere'],
    ['/constructor', 'elsewhere'],
    ['/e7/b/a.js', { kind: 'bundle', file: 'a.js' }],
  ])('without the version: %s', (url, endpoint) => {
    const isSwitchedOn = new Endpoints('/e7', true)
    expect(isSwitchedOn.at(url)).toEqual(endpoint)
    expect(custom.at(url, { isAlone: true })).toEqual(endpoint)
    expect(isSwitchedOn.at(url, { isAlone: false })).toEqual(endpoint)
  })

  it('is not one without the version where that is switched off', () => {
    const isSwitchedOff = new Endpoints(undefined, false)
    expect(isSwitchedOff.at('/t', { isAlone: true })).toBe('elsewhere')
    expect(isSwitchedOff.at('/v1/t', { isAlone: true })).toMatchObject({ kind: 'event' })
  })
})
