import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { parseIp } from '../../../server/http/ip-address.js'
import { withPolicy } from '../../../server/intake/ip-policy.js'

describe('withPolicy', () => {
  it.each([
    ['198.51.100.7', '198.51.100.7', '198.51.100.0'],
    ['0.0.0.0', '0.0.0.0', '0.0.0.0'],
    ['255.255.255.255', '255.255.255.255', '255.255.255.0'],
    ['::ffff:198.51.100.7', '198.51.100.7', '198.51.100.0'],
    ['::FFFF:c633:6407', '198.51.100.7', '198.51.100.0'],
    ['2001:db8:85a3::8a2e:370:7334', '2001:db8:85a3::8a2e:370:7334', '2001:db8:85a3::'],
    ['2001:DB8:85A3:1:2:3:4:5', '2001:DB8:85A3:1:2:3:4:5', '2001:db8:85a3::'],
    ['2001:db8::1', '2001:db8::1', '2001:db8::'],
    ['::1', '::1', '::'],
    ['fe80::1%eth0', 'fe80::1%eth0', 'fe80::'],
    ['unknown', 'unknown', undefined],
    ['', '', undefined],
    ['1', '1', undefined],
    ['010.1.1.1', '010.1.1.1', undefined],
    ['198.51.100.7:80', '198.51.100.7:80', undefined],
    ['198.51.100.0/24', '198.51.100.0/24', undefined],
  ])('of %j keeps %j, truncated %j, or nothing', (ip, kept, truncated) => {
    expect(withPolicy(ip, 'keep')).toBe(kept)
    expect(withPolicy(ip, 'truncate')).toBe(truncated)
    expect(withPolicy(ip, 'drop')).toBeUndefined()
  })

  it('makes the same of all IPv4 addresses of a /24', () => {
    const octet = fc.integer({ min: 0, max: 255 })
    fc.assert(
      fc.property(octet, octet, octet, octet, (a, b, c, d) => {
        const truncated = `${a}.${b}.${c}.0`
        expect(withPolicy(`${a}.${b}.${c}.${d}`, 'truncate')).toBe(truncated)
        expect(withPolicy(`::ffff:${a}.${b}.${c}.${d}`, 'truncate')).toBe(truncated)
      }),
    )
  })

  it('makes the same of all IPv6 addresses of a /48, and another of those of another', () => {
    const part = fc.integer({ min: 0, max: 0xffff })
    // From 2000::/3, where addresses of the Internet are: none there is IPv4 in disguise.
    const first = fc.integer({ min: 0x2000, max: 0x3fff })
    const network = fc.tuple(first, part, part)
    const rest = fc.tuple(part, part, part, part, part)
    const address = (parts: readonly number[]) => parts.map((it) => it.toString(16)).join(':')
    fc.assert(
      fc.property(network, network, rest, rest, (one, other, a, b) => {
        const truncated = withPolicy(address([...one, ...a]), 'truncate')
        expect(withPolicy(address([...one, ...b]), 'truncate')).toBe(truncated)
        expect(parseIp(truncated ?? '')?.toByteArray()).toEqual(
          parseIp(address([...one, 0, 0, 0, 0, 0]))?.toByteArray(),
        )
        expect(withPolicy(address([...other, ...a]), 'truncate') === truncated).toBe(
          address(one) === address(other),
        )
      }),
    )
  })
})
