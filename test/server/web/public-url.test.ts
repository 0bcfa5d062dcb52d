import type { IncomingMessage } from 'node:http'
import { describe, expect, it } from '@jest/globals'
import { type TrustSetting, trustOf } from '../../../server/http/client-address.js'
import { apiHostOf, baseOf, parsePublicUrl, publicUrlOf } from '../../../server/web/public-url.js'

interface RequestParts {
  readonly headers?: Readonly<Record<string, string>>
  readonly isTls?: boolean
  readonly peer?: string
  readonly url?: string
  readonly originalUrl?: string
  readonly baseUrl?: string
}

function base(
  { headers = {}, isTls = false, peer, ...rest }: RequestParts,
  { configured, trust = false }: { configured?: string; trust?: TrustSetting } = {},
): string | undefined {
  const socket = { remoteAddress: peer, ...(isTls && { encrypted: true }) }
  const req = {
    headers: { host: 'events.example.com', ...headers },
    socket,
    url: '/v1/t',
    ...rest,
  } as unknown as IncomingMessage
  const url = publicUrlOf(req, {
    configured: configured === undefined ? undefined : parsePublicUrl(configured),
    trust: trustOf(trust),
  })
  return url && baseOf(url)
}

const FORWARDED = {
  'x-forwarded-proto': 'https, http',
  'x-forwarded-host': 'www.example.com, internal',
  'x-forwarded-prefix': '/shop/, /x',
}

describe('publicUrlOf', () => {
  it('reads the Host header and the kind of socket', () => {
    expect(base({})).toBe('http://events.example.com')
    expect(base({ isTls: true })).toBe('https://events.example.com')
    expect(base({ headers: { host: 'Localhost:8080' } })).toBe('http://localhost:8080')
    expect(base({ headers: { host: '[::1]:8080' } })).toBe('http://[::1]:8080')
  })

  it('believes proxies that are trusted, and where all are the first', () => {
    expect(base({ headers: FORWARDED }, { trust: true })).toBe('https://www.example.com/shop')
    expect(base({ headers: FORWARDED, baseUrl: '/mount' }, { trust: true })).toBe(
      'https://www.example.com/shop/mount',
    )
    expect(base({ headers: { 'x-forwarded-proto': 'ftp' } }, { trust: true })).toBe(
      'http://events.example.com',
    )
  })

  it('believes no other', () => {
    expect(base({ headers: FORWARDED })).toBe('http://events.example.com')
  })

  it.each<[TrustSetting, string, string]>([
    [1, '', 'https://last.example/c'],
    [2, '', 'http://middle.example/b'],
    [3, '', 'http://first.example/a'],
    [4, '', 'http://first.example/a'],
    ['10.0.0.0/8', '198.51.100.7', 'https://last.example/c'],
    ['10.0.0.0/8', '198.51.100.7, 10.0.0.2', 'http://middle.example/b'],
    ['10.0.0.0/8', '10.9.9.9, 198.51.100.7, 10.0.0.2', 'http://middle.example/b'],
    ['10.0.0.0/8', 'unknown', 'https://last.example/c'],
    [['10.0.0.1'], '', 'https://last.example/c'],
  ])(
    'with trust in %j, and %j behind the peer, believes what the last trusted proxy says',
    (trust, forwardedFor, url) => {
      const headers = {
        'x-forwarded-for': forwardedFor,
        'x-forwarded-host': 'first.example, middle.example,last.example',
        'x-forwarded-proto': 'http,http, https',
        'x-forwarded-prefix': '/a, /b, /c',
      }
      expect(base({ headers, peer: '10.0.0.1' }, { trust })).toBe(url)
    },
  )

  it('falls back on what it knows itself where the proxy that counts says nothing', () => {
    const headers = { 'x-forwarded-host': 'first.example,', 'x-forwarded-proto': 'https, ' }
    expect(base({ headers }, { trust: 1 })).toBe('http://events.example.com')
  })

  it('reads what HTTP/2 has in place of the Host header', () => {
    const authority = { ':authority': 'h2.example.com:8443', ':scheme': 'https' }
    expect(base({ headers: authority, isTls: true })).toBe('https://h2.example.com:8443')
    expect(base({ headers: { ...authority, 'x-forwarded-host': 'www.example.com' } }, { trust: 1 })).toBe(
      'http://www.example.com',
    )
  })

  it('knows where Express and Connect mounted it', () => {
    expect(base({ baseUrl: '/mount' })).toBe('http://events.example.com/mount')
    expect(base({ originalUrl: '/mount/v1/t' })).toBe('http://events.example.com/mount')
    expect(base({ originalUrl: '/v1/t' })).toBe('http://events.example.com')
    expect(base({ originalUrl: '/elsewhere' })).toBe('http://events.example.com')
  })

  it('takes the configured URL over all', () => {
    const configured = 'https://Events.Example.com/analytics/'
    expect(base({ headers: FORWARDED, baseUrl: '/x' }, { configured, trust: true })).toBe(
      'https://events.example.com/analytics',
    )
  })

  it.each([
    '',
    ' ',
    'a b',
    'example.com/path',
    'user@example.com',
    'example.com:port',
    'example.com:123456',
    '-example.com',
    'example.com"+alert(1)+"',
    '</script><script>',
    "example.com'",
    'example.com\\',
    'exämple.com',
    '[::1',
    '[::1]]',
    '[javascript:alert]',
    'a'.repeat(300),
  ])('gives nothing for the host %j, whoever sent it', (host) => {
    expect(base({ headers: { host } })).toBeUndefined()
    if (host.trim() !== '') {
      expect(base({ headers: { 'x-forwarded-host': host } }, { trust: true })).toBeUndefined()
    }
  })

  it.each(['/a"b', '/<script>', '/a b', 'mount', '/a//b', '//evil.example'])(
    'gives nothing for the path %j',
    (path) => {
      expect(base({ baseUrl: path })).toBeUndefined()
      expect(base({ headers: { 'x-forwarded-prefix': path } }, { trust: true })).toBeUndefined()
    },
  )

  it('tells what is configured from what the asker chose', () => {
    const req = { headers: { host: 'a' }, socket: {} } as unknown as IncomingMessage
    expect(
      publicUrlOf(req, { configured: parsePublicUrl('https://a'), trust: trustOf(false) })?.isConfigured,
    ).toBe(true)
    expect(publicUrlOf(req, { configured: undefined, trust: trustOf(false) })?.isConfigured).toBe(false)
  })
})

describe('parsePublicUrl', () => {
  it.each([
    '',
    'example.com',
    'ftp://example.com',
    'https://u:p@example.com',
    'https://a/?q',
    'https://a/#h',
    'https://a//b',
  ])('refuses %j', (text) => expect(parsePublicUrl(text)).toBeUndefined())

  it('has a host in letters that are safe everywhere', () => {
    expect(parsePublicUrl('https://exämple.com:443')).toMatchObject({ host: 'xn--exmple-cua.com', path: '' })
  })
})

describe('apiHostOf', () => {
  const url = { protocol: 'https', host: 'h:1', path: '/m', isConfigured: true } as const

  it('is where events go, without protocol', () => {
    expect(apiHostOf(url, undefined)).toBe('h:1/m/v1')
    expect(apiHostOf(url, '/x7')).toBe('h:1/m/x7')
  })
})
