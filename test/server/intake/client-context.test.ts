import { describe, expect, it } from '@jest/globals'
import { writeContext } from '../../../server/intake/client-context.js'
import type { IpPolicy } from '../../../server/intake/ip-policy.js'
import { LineWriter } from '../../../server/intake/line-writer.js'
import { scannedEvent } from './scanned.js'

const sender = { ip: '203.0.113.7', userAgent: 'Firefox', isBrowser: true }

function contextOf(context: unknown, channel: unknown = 'client', policy: IpPolicy = 'keep'): unknown {
  const event = scannedEvent(JSON.stringify({ context }))
  const line = new LineWriter(event.bytes, event.start, event.end)
  writeContext(line, event, { channel, sender, policy, shared: undefined })
  return JSON.parse(line.written().toString()).context
}

describe('the context of an event', () => {
  it.each<[string, unknown, unknown, unknown]>([
    ['a device, nothing said', undefined, 'client', { ip: '203.0.113.7', userAgent: 'Firefox' }],
    ['a device, null', null, 'client', { ip: '203.0.113.7', userAgent: 'Firefox' }],
    [
      'a device that says it',
      { ip: '198.51.100.1', userAgent: 'Opera' },
      'client',
      { ip: '198.51.100.1', userAgent: 'Opera' },
    ],
    [
      'a device that says all else',
      { locale: 'de' },
      'mobile',
      { locale: 'de', ip: '203.0.113.7', userAgent: 'Firefox' },
    ],
    ['a server', { locale: 'de' }, 'server', { locale: 'de' }],
    ['a server, nothing said', undefined, 'server', undefined],
    ['a server that says it', { ip: '198.51.100.1' }, 'server', { ip: '198.51.100.1' }],
    ['a context that is none', 'odd', 'client', 'odd'],
    ['a context that is a list', [1], 'client', [1]],
  ])('of %s', (_name, context, channel, expected) => {
    expect(contextOf(context, channel)).toEqual(expected)
  })

  it.each<IpPolicy>(['keep', 'truncate', 'drop'])(
    'of a server never gets the address and user agent of that server: %s',
    (policy) => {
      expect(contextOf(undefined, 'server', policy)).toBeUndefined()
      expect(contextOf({ locale: 'de' }, 'server', policy)).toEqual({ locale: 'de' })
    },
  )

  it.each<[IpPolicy, unknown, unknown]>([
    ['truncate', undefined, '203.0.113.0'],
    ['truncate', { ip: '198.51.100.9' }, '198.51.100.0'],
    ['truncate', { ip: '2001:db8:85a3::8a2e:370:7334' }, '2001:db8:85a3::'],
    ['truncate', { ip: 'somewhere' }, undefined],
    ['truncate', { ip: { v4: '198.51.100.9' } }, undefined],
    ['drop', undefined, undefined],
    ['drop', { ip: '198.51.100.9' }, undefined],
    ['keep', { ip: { v4: '198.51.100.9' } }, { v4: '198.51.100.9' }],
  ])('has its address as the policy says: %s %j', (policy, context, ip) => {
    expect(contextOf(context, 'client', policy)).toEqual({
      ...(ip === undefined ? {} : { ip }),
      userAgent: 'Firefox',
    })
    // What servers send of their users is personal all the same.
    const given = (context as { ip?: unknown } | undefined)?.ip
    if (given !== undefined)
      expect(contextOf(context, 'server', policy)).toEqual(ip === undefined ? {} : { ip })
  })
})
