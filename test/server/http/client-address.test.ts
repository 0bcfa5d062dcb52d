import type { IncomingMessage } from 'node:http'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  clientAddressOf,
  isTrustedPeer,
  isTrustSetting,
  type TrustSetting,
  trustOf,
} from '../../../server/http/client-address.js'
import { parseIp } from '../../../server/http/ip-address.js'

function request(remoteAddress: string | undefined, forwardedFor?: string): IncomingMessage {
  const headers = forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor }
  return { headers, socket: { remoteAddress } } as IncomingMessage
}

const addressOf = (trust: TrustSetting, ...from: Parameters<typeof request>) =>
  clientAddressOf(request(...from), trustOf(trust))

describe('clientAddressOf', () => {
  it.each<[TrustSetting, string, string | undefined, string]>([
    [false, '10.0.0.1', '198.51.100.7', '10.0.0.1'],
    [0, '10.0.0.1', '198.51.100.7', '10.0.0.1'],
    [[], '10.0.0.1', '198.51.100.7', '10.0.0.1'],
    [true, '10.0.0.1', undefined, '10.0.0.1'],
    [true, '10.0.0.1', '198.51.100.7', '198.51.100.7'],
    [true, '10.0.0.1', '198.51.100.7, 203.0.113.1', '198.51.100.7'],
    [1, '10.0.0.1', '198.51.100.7, 203.0.113.1', '203.0.113.1'],
    [2, '10.0.0.1', '198.51.100.7, 203.0.113.1', '198.51.100.7'],
    [9, '10.0.0.1', '198.51.100.7', '198.51.100.7'],
    ['uniquelocal', '10.0.0.1', '198.51.100.7, 203.0.113.1, 10.2.3.4', '203.0.113.1'],
    ['loopback, 203.0.113.0/24', '127.0.0.1', '198.51.100.7, 203.0.113.1', '198.51.100.7'],
    [['10.0.0.0/255.0.0.0'], '10.0.0.1', '198.51.100.7', '198.51.100.7'],
    ['2001:db8::/32', '2001:db8::5', '2001:DB8:0:0::9, 2001:db8::6', '2001:db8::9'],
    ['linklocal', 'fe80::1%eth0', '198.51.100.7', '198.51.100.7'],
    ['10.0.0.0/8', '::ffff:10.0.0.1', '198.51.100.7', '198.51.100.7'],
    ['::ffff:10.0.0.1', '10.0.0.1', '198.51.100.7', '198.51.100.7'],
  ])('with trust in %j, a peer %s that forwards for %j: %s', (trust, peer, forwardedFor, address) => {
    expect(addressOf(trust, peer, forwardedFor)).toBe(address)
  })

  it.each([
    ['198.51.100.7:5678', '198.51.100.7'],
    ['[2001:db8::1]:80', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['2001:db8::1', '2001:db8::1'],
    ['::ffff:198.51.100.7', '198.51.100.7'],
    ['fe80::1%eth0', 'fe80::1'],
    ['198.51.100.7, 10.0.0.9:443', '198.51.100.7'],
    ['unknown', '10.0.0.1'],
    ['unknown, 10.0.0.9', '10.0.0.9'],
    ['_hidden', '10.0.0.1'],
    ['', '10.0.0.1'],
    [', ,', '10.0.0.1'],
    ['1', '10.0.0.1'],
    ['127.1', '10.0.0.1'],
    ['010.1.1.1', '10.0.0.1'],
    ['0x7f000001', '10.0.0.1'],
    ['256.1.1.1', '10.0.0.1'],
    ['198.51.100.7:port', '10.0.0.1'],
    ['[198.51.100.7', '10.0.0.1'],
    ['<script>', '10.0.0.1'],
    ['198.51.100.7;drop', '10.0.0.1'],
  ])('reads %j behind a trusted proxy as %s', (forwardedFor, address) => {
    expect(addressOf('10.0.0.0/8', '10.0.0.1', forwardedFor)).toBe(address)
  })

  it('passes over garbage where any number of proxies is trusted', () => {
    expect(addressOf(true, '10.0.0.1', 'unknown, 198.51.100.7, 10.0.0.9')).toBe('198.51.100.7')
  })

  it('goes no further than the first that is not trusted: what it says anyone can say', () => {
    expect(addressOf('loopback', '127.0.0.1', '127.0.0.1, 198.51.100.7')).toBe('198.51.100.7')
    expect(addressOf('loopback', '198.51.100.7', '127.0.0.1')).toBe('198.51.100.7')
  })

  it('knows that a Unix socket has none', () => {
    expect(addressOf(true, undefined)).toBeUndefined()
    expect(addressOf('loopback', undefined, '198.51.100.7')).toBeUndefined()
    expect(addressOf(1, undefined, '198.51.100.7')).toBe('198.51.100.7')
  })

  it('gives an address or nothing, whatever it is sent', () => {
    const part = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.string(),
      fc.constantFrom(',', ':', '[', ']', '%', '::', '1'),
    )
    const text = fc.array(part).map((parts) => parts.join(''))
    const trust = fc.constantFrom<TrustSetting>(true, false, 1, 3, 'loopback', '0.0.0.0/1')
    fc.assert(
      fc.property(trust, fc.option(text, { nil: undefined }), text, (setting, peer, forwardedFor) => {
        const address = addressOf(setting, peer, forwardedFor)
        if (address !== undefined) expect(parseIp(address)?.toString()).toBe(address)
      }),
    )
  })
})

describe('isTrustedPeer', () => {
  it.each<[TrustSetting, string | undefined, boolean]>([
    [false, '127.0.0.1', false],
    [true, '198.51.100.7', true],
    [true, undefined, true],
    [0, '127.0.0.1', false],
    [1, '198.51.100.7', true],
    ['loopback', '127.0.0.1', true],
    ['loopback', '::ffff:127.0.0.1', true],
    ['loopback', '::1', true],
    ['loopback', '198.51.100.7', false],
    ['loopback', undefined, false],
  ])('with trust in %j, of %s: %s', (trust, peer, isTrusted) => {
    expect(isTrustedPeer(request(peer, '127.0.0.1'), trustOf(trust))).toBe(isTrusted)
  })
})

describe('isTrustSetting', () => {
  it.each([
    true,
    false,
    0,
    3,
    'loopback',
    'loopback, linklocal , uniquelocal',
    '10.0.0.0/8',
    '10.0.0.0/255.0.0.0',
    '2001:db8::/32',
    [],
    ['127.0.0.1', 'uniquelocal'],
  ])('takes %j', (value) => {
    expect(isTrustSetting(value)).toBe(true)
  })

  it.each([
    undefined,
    null,
    {},
    -1,
    1.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    '',
    '1',
    'true',
    'private',
    'Loopback',
    'toString',
    '10.0.0.0/33',
    '10.0.0.0/0',
    '10.0.0.0/8/8',
    '10.0.0.0/x',
    '10.0.0/8',
    '2001:db8::/129',
    'proxy.example.com',
    ['loopback', 1],
    ['loopback,linklocal'],
  ])('refuses %j', (value) => {
    expect(isTrustSetting(value)).toBe(false)
  })

  it('says what is wrong', () => {
    expect(() => trustOf('loopback, proxy')).toThrow('"proxy" is no IP address, CIDR or named range')
    expect(() => trustOf(-1)).toThrow('-1 is no number of proxies; use a whole number from 0')
  })
})
