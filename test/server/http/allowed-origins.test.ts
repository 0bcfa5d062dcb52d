import { describe, expect, it } from '@jest/globals'
import { AllowedOrigins, isOriginPattern } from '../../../server/http/allowed-origins.js'

const allows = (patterns: '*' | string[], origin: string, host?: string) =>
  new AllowedOrigins(patterns).allows(origin, { host })

describe('AllowedOrigins', () => {
  it.each([
    ['https://example.com', 'https://example.com'],
    ['https://Example.COM', 'https://example.com'],
    ['https://example.com', 'HTTPS://EXAMPLE.com'],
    ['https://example.com:443', 'https://example.com'],
    ['https://example.com', 'https://example.com:443'],
    ['http://example.com:80', 'http://example.com'],
    ['https://example.com:8443', 'https://example.com:8443'],
    ['https://bücher.example', 'https://xn--bcher-kva.example'],
    ['http://[::1]:3000', 'http://[::1]:3000'],
    ['http://127.0.0.1:3000', 'http://127.0.0.1:3000'],
    ['capacitor://localhost', 'capacitor://localhost'],
    ['null', 'null'],
    ['https://*.example.com', 'https://www.example.com'],
    ['https://*.example.com', 'https://a.b.c.example.com'],
    ['https://*.Example.com:443', 'https://a.example.com'],
    ['https://*.example.com:8443', 'https://a.example.com:8443'],
    ['https://*.bücher.example', 'https://a.xn--bcher-kva.example'],
    ['http://*.localhost:3000', 'http://shop.localhost:3000'],
  ])('with %s, allows %s', (pattern, origin) => {
    expect(allows(['https://other.example', pattern], origin)).toBe(true)
  })

  it.each([
    ['https://example.com', 'http://example.com', 'another scheme'],
    ['https://example.com', 'https://example.com:8443', 'another port'],
    ['https://example.com:8443', 'https://example.com', 'another port'],
    ['https://example.com', 'https://www.example.com', 'a subdomain'],
    ['https://example.com', 'https://example.com.evil.test', 'a longer host'],
    ['https://example.com', 'https://example.com.', 'a trailing dot'],
    ['https://example.com', 'https://example.com@evil.test', 'a user that looks like a host'],
    ['https://example.com', 'https://user@example.com', 'a user'],
    ['https://example.com', 'https://example.com/', 'a path'],
    ['https://example.com', 'https://example.com\\.evil.test', 'a backslash'],
    ['https://example.com', 'https://example.com#.evil.test', 'a fragment'],
    ['https://example.com', 'https://example.com?.evil.test', 'a query'],
    ['https://example.com', 'https://ex%61mple.com', 'an escape'],
    ['https://example.com', 'https://exam\u00adple.com', 'a soft hyphen, which URL leaves out'],
    ['https://example.com', 'https://exam\tple.com', 'a tab, which URL leaves out'],
    ['https://example.com', ' https://example.com', 'a space, which URL leaves out'],
    ['https://example.com', 'https:example.com', 'no slashes, which URL adds'],
    ['https://example.com', 'https://ex\u0430mple.com', 'a Cyrillic letter'],
    ['https://example.com', 'https://xn--exmple-4nf.com', 'a Cyrillic letter in Punycode'],
    ['https://example.com', 'https://example.com https://evil.test', 'two origins'],
    ['https://example.com', 'https://example.com,https://evil.test', 'two origins'],
    ['https://example.com', 'null', 'no origin'],
    ['https://example.com', '', 'nothing'],
    ['https://*.example.com', 'https://example.com', 'the bare domain'],
    ['https://*.example.com', 'https://.example.com', 'an empty label'],
    ['https://*.example.com', 'https://a..example.com', 'an empty label'],
    ['https://*.example.com', 'https://evilexample.com', 'a longer name'],
    ['https://*.example.com', 'https://a.example.com.evil.test', 'a longer host'],
    ['https://*.example.com', 'https://a.example.com.', 'a trailing dot'],
    ['https://*.example.com', 'http://a.example.com', 'another scheme'],
    ['https://*.example.com', 'https://a.example.com:8443', 'another port'],
    ['https://*.example.com:8443', 'https://a.example.com', 'another port'],
    ['https://*.example.com', 'https://evil.test/.example.com', 'a path'],
    ['https://*.example.com', 'https://evil.test#.example.com', 'a fragment'],
    ['https://*.example.com', 'https://evil.test:1.example.com', 'a port that is none'],
    ['https://*.example.com', 'https://evil.test\\.example.com', 'a backslash'],
    ['https://*.example.com', 'https://a@b.example.com', 'a user'],
    ['https://*.example.com', 'https://*.example.com', 'the pattern itself'],
    ['https://*.example.com', `https://${'a.'.repeat(300)}example.com`, 'what is longer than a host'],
    ['capacitor://localhost', 'ionic://localhost', 'another scheme'],
  ])('with %s, refuses %j: %s', (pattern, origin) => {
    expect(allows([pattern], origin)).toBe(false)
  })

  it.each(['https://example.com', 'null', 'chrome-extension://abcdef'])('with *, allows %s', (origin) => {
    expect(allows('*', origin)).toBe(true)
    expect(allows(['https://example.org', '*'], origin)).toBe(true)
  })

  it.each([
    ['https://collect.example.com', 'collect.example.com'],
    ['https://collect.example.com', 'Collect.Example.com:443'],
    ['http://collect.example.com', 'collect.example.com:80'],
    ['http://localhost:8080', 'localhost:8080'],
    ['http://[::1]:8080', '[::1]:8080'],
  ])('allows a page of our own host: %s at %s', (origin, host) => {
    expect(allows([], origin, host)).toBe(true)
  })

  it.each([
    ['https://example.com', 'collect.example.com'],
    ['https://collect.example.com:8443', 'collect.example.com'],
    ['https://collect.example.com', 'collect.example.com:8443'],
    ['http://collect.example.com', 'collect.example.com:443'],
    ['https://collect.example.com', 'user@collect.example.com'],
    ['https://collect.example.com', 'collect.example.com/'],
    ['https://collect.example.com', ''],
    ['https://collect.example.com', undefined],
    ['capacitor://localhost', 'localhost'],
    ['null', 'null'],
    ['', ''],
  ])('allows no other page: %j at %j', (origin, host) => {
    expect(allows([], origin, host)).toBe(false)
  })

  it('allows a page of our own host by the scheme that is known alone', () => {
    const own = { protocol: 'https', host: 'collect.example.com' } as const
    const allowed = new AllowedOrigins([])
    expect(allowed.allows('https://collect.example.com', own)).toBe(true)
    expect(allowed.allows('http://collect.example.com', own)).toBe(false)
    expect(allowed.allows('https://collect.example.com:444', own)).toBe(false)
  })

  it('throws for what is no origin, and shows how one is written', () => {
    expect(() => new AllowedOrigins(['https://example.com/'])).toThrow(
      '"https://example.com/" is no origin; write one as https://www.example.com',
    )
  })
})

describe('isOriginPattern', () => {
  it.each(['https://example.com', 'http://localhost:3000', 'https://*.example.com', '*', 'null'])(
    'takes %s',
    (text) => {
      expect(isOriginPattern(text)).toBe(true)
    },
  )

  it.each([
    '',
    'example.com',
    '*.example.com',
    'https://',
    'https://*',
    'https://*.',
    'https://*..com',
    'https://*example.com',
    'https://a.*.example.com',
    'https://*.*.example.com',
    'https://example.*',
    '*://example.com',
    'https://*.127.0.0.1',
    'https://*.[::1]',
    'https://example.com:*',
    'https://example.com:99999',
    'https://example.com/',
    'https://example.com/path',
    'https://user:pass@example.com',
    'https://example.com https://example.org',
    'https://[::1',
    'https://256.1.1.1',
    'NULL',
  ])('refuses %j', (text) => {
    expect(isOriginPattern(text)).toBe(false)
  })
})
