import { describe, expect, it } from '@jest/globals'
import { proxyFor } from '../../../plugin/aws/egress-proxy.js'

const AWS = { protocol: 'https:', hostname: 'firehose.us-west-2.amazonaws.com' }
const PROXY = 'http://proxy.example.com:3128'

describe('the proxy for a host', () => {
  it.each<[string, Record<string, string>, string | undefined]>([
    ['none', {}, undefined],
    ['HTTPS_PROXY', { HTTPS_PROXY: PROXY }, PROXY],
    ['https_proxy', { https_proxy: PROXY, HTTPS_PROXY: 'http://other' }, PROXY],
    ['HTTPS_PROXY without a scheme', { HTTPS_PROXY: 'proxy.example.com:3128' }, PROXY],
    ['not HTTP_PROXY', { HTTP_PROXY: PROXY }, undefined],
    ['NO_PROXY=*', { HTTPS_PROXY: PROXY, NO_PROXY: '*' }, undefined],
    ['its name', { HTTPS_PROXY: PROXY, NO_PROXY: 'a.com, firehose.us-west-2.amazonaws.com' }, undefined],
    ['its domain', { HTTPS_PROXY: PROXY, NO_PROXY: 'localhost,amazonaws.com' }, undefined],
    ['its domain with a dot', { HTTPS_PROXY: PROXY, no_proxy: '.AmazonAWS.com' }, undefined],
    ['its domain with a star', { HTTPS_PROXY: PROXY, NO_PROXY: '*.amazonaws.com' }, undefined],
    ['its port', { HTTPS_PROXY: PROXY, NO_PROXY: 'amazonaws.com:443' }, undefined],
    ['another port', { HTTPS_PROXY: PROXY, NO_PROXY: 'amazonaws.com:8443' }, PROXY],
    ['another domain', { HTTPS_PROXY: PROXY, NO_PROXY: 'aws.com us-west-2' }, PROXY],
  ])('by the environment: %s', (_name, env, proxy) => {
    expect(proxyFor(AWS, undefined, env)).toBe(proxy)
  })

  it.each<[string, string | undefined]>([
    ['10.0.0.7', undefined],
    ['10.0.0.0/8', undefined],
    ['[10.0.0.7]:443', undefined],
    ['10.1.0.0/16', PROXY],
    ['::/0', PROXY],
    ['10.0.0', PROXY],
  ])('by address: NO_PROXY=%s', (NO_PROXY, proxy) => {
    const target = { protocol: 'https:', hostname: '10.0.0.7' }
    expect(proxyFor(target, undefined, { HTTPS_PROXY: PROXY, NO_PROXY })).toBe(proxy)
  })

  it('takes the addresses of IPv6 in brackets or without', () => {
    const target = { protocol: 'https:', hostname: '[fd00:ec2::254]' }
    for (const NO_PROXY of ['fd00:ec2::254', '[fd00:ec2::254]', 'fd00:ec2::/64'])
      expect(proxyFor(target, undefined, { HTTPS_PROXY: PROXY, NO_PROXY })).toBeUndefined()
    expect(proxyFor(target, undefined, { HTTPS_PROXY: PROXY, NO_PROXY: 'fd00::/32' })).toBe(PROXY)
  })

  it('is none for http, as of a local AWS', () => {
    const target = { protocol: 'http:', hostname: 'localhost', port: 4599 }
    expect(proxyFor(target, undefined, { HTTPS_PROXY: PROXY })).toBeUndefined()
  })

  it('is that of the settings, whatever the environment says', () => {
    const env = { HTTPS_PROXY: 'http://other', NO_PROXY: '*' }
    expect(proxyFor(AWS, PROXY, env)).toBe(PROXY)
    expect(proxyFor({ protocol: 'http:', hostname: 'localhost' }, PROXY, env)).toBe(PROXY)
    expect(proxyFor(AWS, false, { HTTPS_PROXY: PROXY })).toBeUndefined()
  })
})
