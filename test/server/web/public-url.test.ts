import type { IncomingMessage } from 'node:http'
import { describe, expect, it } from '@jest/globals'
import { apiHostOf, baseOf, parsePublicUrl, publicUrlOf } from '../../../server/web/public-url.js'

interface RequestParts {
  readonly headers?: Readonly<Record<string, string>>
  readonly isTls?: boolean
  readonly url?: string
  readonly originalUrl?: string
  readonly baseUrl?: string
}

function base(
  { headers = {}, isTls = false, ...rest }: RequestParts,
  { configured, isTrusted = false }: { configured?: string; isTrusted?: boolean } = {},
): string | undefined {
  const socket = isTls ? { encrypted: true } : {}
  const req = {
    headers: { host: 'events.example.com', ...headers },
    socket,
    url: '/v1/t',
    ...rest,
  } as unknown as IncomingMessage
  const url = publicUrlOf(req, { configured, isTrusted })
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

  it('believes proxies that are trusted, and of several the first', () => {
    expect(base({ headers: FORWARDED }, { isTrusted: true })).toBe('https://www.example.com/shop')
    expect(base({ headers: FORWARDED, baseUrl: '/mount' }, { isTrusted: true })).toBe(
      'https://www.example.com/shop/mount',
    )
    expect(base({ headers: { 'x-forwarded-proto': 'ftp' } }, { isTrusted: true })).toBe(
      'http://events.example.com',
    )
  })

  it('believes no other', () => {
    expect(base({ headers: FORWARDED })).toBe('http://events.example.com')
  })

  it('knows where Express and Connect mounted it', () => {
    expect(base({ baseUrl: '/mount' })).toBe('http://events.example.com/mount')
    expect(base({ originalUrl: '/mount/v1/t' })).toBe('http://events.example.com/mount')
    expect(base({ originalUrl: '/v1/t' })).toBe('http://events.example.com')
    expect(base({ originalUrl: '/elsewhere' })).toBe('http://events.example.com')
  })

  it('takes the configured URL over all', () => {
    const configured = 'https://Events.Example.com/analytics/'
    expect(base({ headers: FORWARDED, baseUrl: '/x' }, { configured, isTrusted: true })).toBe(
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
      expect(base({ headers: { 'x-forwarded-host': host } }, { isTrusted: true })).toBeUndefined()
    }
  })

  it.each(['/a"b', '/<script>', '/a b', 'mount', '/a//b', '//evil.example'])(
    'gives nothing for the path %j',
    (path) => {
      expect(base({ baseUrl: path })).toBeUndefined()
      expect(base({ headers: { 'x-forwarded-prefix': path } }, { isTrusted: true })).toBeUndefined()
    },
  )

  it('tells what is configured from what the asker chose', () => {
    const req = { headers: { host: 'a' }, socket: {} } as unknown as IncomingMessage
    expect(publicUrlOf(req, { configured: 'https://a', isTrusted: false })?.isConfigured).toBe(true)
    expect(publicUrlOf(req, { configured: undefined, isTrusted: false })?.isConfigured).toBe(false)
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
