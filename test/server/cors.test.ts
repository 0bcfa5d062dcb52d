import { describe, expect, it } from '@jest/globals'
import { AllowedOrigins } from '../../server/http/allowed-origins.js'
import { trustOf } from '../../server/http/client-address.js'
import { Endpoints } from '../../server/http/endpoint.js'
import type { Site } from '../../server/site.js'
import { Sources } from '../../server/sources.js'
import { parsePublicUrl } from '../../server/web/public-url.js'
import { FakeDestination } from './fake-destination.js'
import { APP_KEY, basic, listen, plainSource, proxyHarness, WEB_KEY } from './proxy-harness.js'

const PAGE = 'https://www.example.com'
const event = { event: 'E', userId: 'u1' }

/** Two sources, of which `Website` takes pages of one origin and `App` those of another. */
function harness(site: Partial<Site> = {}) {
  const [web, app] = [new FakeDestination(), new FakeDestination()]
  const sources = [
    {
      ...plainSource({ id: 'web', name: 'Website', writeKeys: [WEB_KEY], destination: web }),
      origins: new AllowedOrigins([PAGE]),
    },
    {
      ...plainSource({ id: 'app', name: 'App', writeKeys: [APP_KEY], destination: app }),
      origins: new AllowedOrigins(['https://app.example.com']),
    },
  ]
  const union = new AllowedOrigins([PAGE, 'https://app.example.com'])
  const { proxy } = proxyHarness({
    more: { sources: new Sources(sources, union), trust: trustOf(1), ...site },
  })
  return { proxy, web, app }
}

const post = (url: string, headers: Record<string, string>, body: object = event) =>
  fetch(`${url}/v1/track`, { method: 'POST', headers, body: JSON.stringify(body) })

describe('CORS', () => {
  it.each(['/v1/b', '/v1/t', '/v1/projects/k/settings', '/v1/m', '/snippet/k'])(
    'answers a preflight without a key: %s',
    async (path) => {
      const { proxy, web } = harness()
      const res = await fetch((await listen(proxy)) + path, {
        method: 'OPTIONS',
        headers: {
          origin: PAGE,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization,content-type,x-retry-count',
        },
      })
      expect([res.status, await res.text()]).toEqual([204, ''])
      const allowed = res.headers.get('access-control-allow-headers')?.split(',')
      expect(allowed).toEqual(expect.arrayContaining(['authorization', 'content-type', 'x-retry-count']))
      expect(res.headers.get('access-control-allow-origin')).toBe(PAGE)
      expect(res.headers.get('access-control-allow-credentials')).toBe('true')
      expect(res.headers.get('access-control-allow-methods')).toContain('POST')
      expect(Number(res.headers.get('access-control-max-age'))).toBeGreaterThan(7_000)
      expect(res.headers.get('vary')).toContain('Origin')
      expect(web.calls).toEqual([])
    },
  )

  it.each([
    '/v1/b',
    '/v1/pixel/track',
    '/v1/projects/k/settings',
    '/analytics.js/v1/k/analytics.min.js',
    '/analytics-next/bundles/auto-track.bundle.0123456789abcdef.js',
    '/next-integrations/actions/x.js',
    '/e7/t',
    '/e7/c/k/settings',
    '/e7/k.js',
    '/e7/b/0123456789abcdef.js',
    '/beacon/v1/batch?writeKey=k',
    '/sourceConfig/?writeKey=k',
    '/t',
  ])('allows the headers that a preflight asks for: %s', async (path) => {
    const { proxy } = harness({ customPath: '/e7', endpoints: new Endpoints('/e7') })
    const asked =
      'baggage,sentry-trace,traceparent,tracestate,x-datadog-trace-id,x-datadog-sampling-priority,x-of-tomorrow'
    const res = await fetch((await listen(proxy)) + path, {
      method: 'OPTIONS',
      headers: {
        origin: PAGE,
        'access-control-request-method': 'GET',
        'access-control-request-headers': asked,
      },
    })
    expect([res.status, res.headers.get('access-control-allow-headers')]).toEqual([204, asked])
    expect(res.headers.get('vary')).toBe('Origin, Access-Control-Request-Headers')
  })

  it('allows no headers to an origin that no source allows', async () => {
    const { proxy } = harness()
    const res = await fetch(`${await listen(proxy)}/v1/t`, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://evil.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'traceparent',
      },
    })
    expect([res.status, res.headers.get('access-control-allow-headers')]).toEqual([204, null])
  })

  it('answers a preflight of an origin that no source allows without allowing it', async () => {
    const { proxy } = harness()
    const res = await fetch(`${await listen(proxy)}/v1/t`, {
      method: 'OPTIONS',
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
    })
    expect(res.status).toBe(204)
    expect(res.headers.get('access-control-allow-origin')).toBeNull()
    expect(res.headers.get('vary')).toBe('Origin')
  })

  it('lets pages read answers and refusals, with what they say of waiting', async () => {
    const { proxy, web } = harness()
    const url = await listen(proxy)
    web.parked = true
    const answers = [
      await post(url, { origin: PAGE, authorization: basic(APP_KEY) }),
      await post(url, { origin: PAGE, authorization: basic(WEB_KEY) }),
      await post(url, { origin: PAGE }),
      await fetch(`${url}/v1/nothing`, { headers: { origin: PAGE } }),
    ]
    expect(answers.map(({ status }) => status)).toEqual([403, 503, 401, 404])
    for (const { headers } of answers) {
      expect(headers.get('access-control-allow-origin')).toBe(PAGE)
      expect(headers.get('access-control-expose-headers')).toContain('Retry-After')
    }
  })

  it.each<[string, number, Record<string, string>]>([
    ['that the source allows', 200, { origin: PAGE }],
    ['that another source allows', 403, { origin: 'https://app.example.com' }],
    ['that none allows', 403, { origin: 'https://evil.example' }],
    ['that looks like it', 403, { origin: 'https://www.example.com.evil.example' }],
    ['of none, as phones and servers send', 200, {}],
  ])('takes events from pages of an origin %s: %d', async (_name, status, headers) => {
    for (const place of ['Basic', 'body']) {
      const { proxy, web } = harness()
      const isBasic = place === 'Basic'
      const sent = isBasic ? { ...headers, authorization: basic(WEB_KEY) } : headers
      const res = await post(await listen(proxy), sent, isBasic ? event : { ...event, writeKey: WEB_KEY })
      expect(res.status).toBe(status)
      expect(web.delivered).toHaveLength(status === 200 ? 1 : 0)
      if (status === 403) expect(await res.json()).toMatchObject({ code: 'origin_not_allowed' })
    }
  })

  it('always takes events from pages of its own host, by the name that the trusted proxy in front has', async () => {
    const { proxy, web } = harness()
    const url = await listen(proxy)
    const authorization = basic(WEB_KEY)
    expect((await post(url, { authorization, origin: url })).status).toBe(200)
    const behind = {
      authorization,
      origin: 'https://events.shop.example',
      'x-forwarded-host': 'events.shop.example',
    }
    expect((await post(url, behind)).status).toBe(200)
    expect(web.delivered).toHaveLength(2)
  })

  it('knows its own host by the last trusted proxy, whatever the client says before', async () => {
    const { proxy, web } = harness()
    const url = await listen(proxy)
    const headers = (origin: string) => ({
      authorization: basic(WEB_KEY),
      origin,
      'x-forwarded-host': 'evil.example, events.shop.example',
    })
    expect((await post(url, headers('https://evil.example'))).status).toBe(403)
    expect((await post(url, headers('https://events.shop.example'))).status).toBe(200)
    expect(web.delivered).toHaveLength(1)
  })

  it('knows its own host by publicUrl alone, where that is set', async () => {
    const publicUrl = parsePublicUrl('https://events.example.com/analytics')
    const { proxy, web } = harness({ publicUrl })
    const url = await listen(proxy)
    const asked = async (origin: string, more: Record<string, string> = {}) => {
      const headers = { authorization: basic(WEB_KEY), origin, ...more }
      const preflight = await fetch(`${url}/v1/t`, { method: 'OPTIONS', headers })
      return [preflight.headers.get('access-control-allow-origin'), (await post(url, headers)).status]
    }
    expect(await asked(url)).toEqual([null, 403])
    const forwarded = { 'x-forwarded-host': 'evil.example' }
    expect(await asked('https://evil.example', forwarded)).toEqual([null, 403])
    expect(await asked('http://events.example.com')).toEqual([null, 403])
    expect(web.calls).toEqual([])
    const own = 'https://events.example.com'
    expect(await asked(own, forwarded)).toEqual([own, 200])
  })

  it('has no say where there is no origin', async () => {
    const { proxy } = harness()
    const res = await post(await listen(proxy), { authorization: basic(WEB_KEY) })
    expect(res.headers.get('access-control-allow-origin')).toBeNull()
  })
})
