import { isIPv4, isIPv6 } from 'node:net'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { networkOf, parseIp } from '../../../server/http/ip-address.js'

describe('parseIp', () => {
  it('takes what Node takes for an address, and nothing else', () => {
    const digit = fc.constantFrom(
      '0',
      '1',
      '9',
      '255',
      '256',
      'f',
      'ffff',
      '::',
      ':',
      '.',
      '%',
      '%1',
      ' ',
      'x',
    )
    const alike = fc.array(digit, { maxLength: 16 }).map((parts) => parts.join(''))
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), alike), (text) => {
        expect(parseIp(text) !== undefined).toBe(isIPv4(text) || isIPv6(text))
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('networkOf', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2:ffff::', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['no address', undefined],
    [undefined, undefined],
  ])('is the address, or of IPv6 its 64 bits: %s', (address, network) => {
    expect(networkOf(address)).toBe(network)
  })
})
