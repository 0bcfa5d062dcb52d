import { request } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { gunzipSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import type { ResourceEndpoint } from '../../../server/http/endpoint.js'
import { HttpProblem } from '../../../server/http/http-problem.js'
import { Bundles } from '../../../server/web/bundles.js'
import { Library } from '../../../server/web/library.js'
import type { PublicUrl } from '../../../server/web/public-url.js'
import { type CdnMirror, type ResourceContext, Resources } from '../../../server/web/resources.js'
import { listen } from '../proxy-harness.js'

const CONFIGURED: PublicUrl = { protocol: 'https', host: 'events.example.com', path: '', isConfigured: true }
const FROM_HEADERS: PublicUrl = { ...CONFIGURED, isConfigured: false }
const WRITE_KEY = 'key'

const SETTINGS = { kind: 'settings', writeKey: WRITE_KEY, isCustom: false } as const
const LIBRARY = { kind: 'library', writeKey: WRITE_KEY, isCustom: false } as const
const SNIPPET: ResourceEndpoint = { kind: 'snippet', writeKey: WRITE_KEY }
const BUNDLE: ResourceEndpoint = { kind: 'bundle', file: 'queryString.bundle.34b193ada8fe288d1bd1.js' }
const INTEGRATION: ResourceEndpoint = { kind: 'integration', path: '/next-integrations/actions/p.js' }

interface Asked {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly before?: Readonly<Record<string, string>>
}

/** Asks a server of one endpoint. Problems are answered with their status and code. */
async function ask(
  endpoint: ResourceEndpoint,
  { method = 'GET', headers = {}, before = {} }: Asked = {},
  context: Partial<ResourceContext> = {},
  resources = new Resources(),
) {
  const url = await listen((req, res) => {
    for (const [name, value] of Object.entries(before)) res.setHeader(name, value)
    const whole = { url: CONFIGURED, source: { browser: {} }, customPath: undefined, ...context }
    resources.answer(req, res, endpoint, whole).catch((problem: unknown) => {
      if (!(problem instanceof HttpProblem)) return void res.writeHead(500).end(String(problem))
      res.writeHead(problem.status, problem.headers).end(problem.code)
    })
  })
  return new Promise<{ status: number; headers: Record<string, unknown>; body: Buffer }>(
    (resolve, reject) => {
      const req = request(url, { method, headers }, async (res) => {
        resolve({ status: res.statusCode ?? 0, headers: res.headers, body: await buffer(res) })
      })
      req.on('error', reject).end()
    },
  )
}

const GZIP = { 'accept-encoding': 'gzip, deflate, br' }

describe('every resource', () => {
  const all: [string, ResourceEndpoint][] = [
    ['settings', SETTINGS],
    ['library', LIBRARY],
    ['snippet', SNIPPET],
    ['bundle', BUNDLE],
  ]

  it.each(all)('is taken by its type only, and by pages of every origin: %s', async (_name, endpoint) => {
    const { status, headers } = await ask(endpoint)
    expect(status).toBe(200)
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'cross-origin',
      vary: 'Accept-Encoding',
      etag: expect.stringMatching(/^"[\w-]{27}"$/),
    })
  })

  it.each(all)('is not sent to who has it: %s', async (_name, endpoint) => {
    const first = await ask(endpoint)
    const second = await ask(endpoint, { headers: { 'if-none-match': String(first.headers['etag']) } })
    expect(second).toMatchObject({ status: 304, body: Buffer.alloc(0) })
    for (const name of ['etag', 'cache-control', 'vary']) {
      expect(second.headers[name]).toBe(first.headers[name])
    }
    expect(second.headers).not.toHaveProperty('content-length')
  })

  it.each(all)('has the same head without a body: %s', async (_name, endpoint) => {
    const whole = await ask(endpoint)
    const head = await ask(endpoint, { method: 'HEAD' })
    expect(head.body).toHaveLength(0)
    expect({ ...head.headers, date: '' }).toEqual({ ...whole.headers, date: '' })
    expect(head.headers['content-length']).toBe(String(whole.body.length))
  })

  it('is gzipped for who takes that, under a tag of its own', async () => {
    for (const endpoint of [LIBRARY, BUNDLE]) {
      const plain = await ask(endpoint)
      const gzipped = await ask(endpoint, { headers: GZIP })
      expect(plain.headers).not.toHaveProperty('content-encoding')
      expect(gzipped.headers).toMatchObject({
        'content-encoding': 'gzip',
        vary: 'Accept-Encoding',
        'content-length': String(gzipped.body.length),
      })
      expect(gunzipSync(gzipped.body)).toEqual(plain.body)
      expect(gzipped.headers['etag']).not.toBe(plain.headers['etag'])
      const again = { ...GZIP, 'if-none-match': String(plain.headers['etag']) }
      expect((await ask(endpoint, { headers: again })).status).toBe(200)
    }
  })

  it.each(['gzip;q=0', 'identity', 'br'])('is as it is for Accept-Encoding: %s', async (encoding) => {
    const { headers } = await ask(LIBRARY, { headers: { 'accept-encoding': encoding } })
    expect(headers).not.toHaveProperty('content-encoding')
  })

  it.each<[string, number]>([
    ['*', 304],
    ['"other", W/TAG', 304],
    ['"other"', 200],
    ['TAG-', 200],
  ])('knows the tag in If-None-Match: %s', async (given, status) => {
    const tag = String((await ask(LIBRARY)).headers['etag'])
    const answer = await ask(LIBRARY, { headers: { 'if-none-match': given.replace('TAG', tag) } })
    expect(answer.status).toBe(status)
  })

  it('keeps what else varies', async () => {
    const { headers } = await ask(SETTINGS, { before: { Vary: 'Origin' } })
    expect(headers['vary']).toBe('Origin, Accept-Encoding')
  })
})

describe('caches', () => {
  it.each<[string, ResourceEndpoint, string]>([
    ['settings', SETTINGS, 'public, max-age=60'],
    ['library', LIBRARY, 'public, max-age=300'],
    ['bundle', BUNDLE, 'public, max-age=31536000, immutable'],
    ['snippet', SNIPPET, 'no-store'],
  ])('may keep for so long: %s', async (_name, endpoint, expected) => {
    expect((await ask(endpoint)).headers['cache-control']).toBe(expected)
  })

  it.each([SETTINGS, LIBRARY])(
    'that are shared keep nothing with a host of the asker’s choice',
    async (endpoint) => {
      const { headers } = await ask(endpoint, {}, { url: FROM_HEADERS })
      expect(headers['cache-control']).toMatch(/^private, /)
    },
  )
})

describe('a resource', () => {
  it.each([SETTINGS, LIBRARY, SNIPPET])('is there for known write keys only', async (endpoint) => {
    const { status, body } = await ask(endpoint, {}, { source: undefined })
    expect([status, String(body)]).toEqual([404, 'invalid_write_key'])
  })

  it.each([SETTINGS, LIBRARY, SNIPPET])('is refused where the host is not to be told', async (endpoint) => {
    const { status, body } = await ask(endpoint, {}, { url: undefined })
    expect([status, String(body)]).toEqual([400, 'invalid_host'])
  })

  it('may be a part, which needs neither host nor key', async () => {
    expect((await ask(BUNDLE, {}, { url: undefined, source: undefined })).status).toBe(200)
    expect((await ask({ kind: 'bundle', file: 'none.js' })).status).toBe(404)
  })

  it('may be the library, under the custom path or not', async () => {
    const context = { customPath: '/x7' }
    expect(String((await ask(LIBRARY, {}, context)).body)).toContain('"events.example.com/v1"')
    const custom = await ask({ ...LIBRARY, isCustom: true }, {}, context)
    expect(String(custom.body)).toContain('"events.example.com/x7"')
    expect(custom.headers['content-type']).toBe('text/javascript; charset=utf-8')
  })

  it('may be the settings, which lead to where they were asked for', async () => {
    const context = { customPath: '/x7' }
    const apiHostOf = async (isCustom: boolean) => {
      const { body, headers } = await ask({ ...SETTINGS, isCustom }, {}, context)
      expect(headers['content-type']).toBe('application/json; charset=utf-8')
      return JSON.parse(String(body)).integrations['Segment.io'].apiHost
    }
    expect(await apiHostOf(false)).toBe('events.example.com/v1')
    expect(await apiHostOf(true)).toBe('events.example.com/x7')
  })

  it('may be the snippet, a text that no browser runs or frames', async () => {
    const { headers, body } = await ask(SNIPPET, {}, { customPath: '/x7' })
    expect(headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'content-security-policy': "default-src 'none'",
      'x-frame-options': 'DENY',
    })
    expect(String(body)).toContain('https://events.example.com/x7/')
  })

  it('is not read before it is asked for', async () => {
    const unreadable = () => Promise.reject(new Error('read'))
    const resources = new Resources(new Library(unreadable), new Bundles(unreadable))
    expect((await ask(SETTINGS, {}, {}, resources)).status).toBe(200)
    expect((await ask(SNIPPET, {}, {}, resources)).status).toBe(200)
    expect((await ask(LIBRARY, {}, {}, resources)).status).toBe(500)
  })
})

describe('with Segment’s CDN behind', () => {
  const asset = { contentType: 'text/javascript', body: Buffer.from('x'.repeat(5000)) }
  const cdn: CdnMirror = {
    settings: async () => ({ integrations: { Amplitude: { key: 1 } }, plan: { track: {} } }),
    asset: async (path) => (path === '/next-integrations/actions/p.js' ? asset : undefined),
  }
  const source = { browser: {}, cdn }

  it('settings have Segment’s destinations', async () => {
    const { body } = await ask(SETTINGS, {}, { source })
    expect(JSON.parse(String(body))).toMatchObject({
      integrations: { Amplitude: { key: 1 }, 'Segment.io': { apiHost: 'events.example.com/v1' } },
      plan: { track: {} },
    })
  })

  it('settings are there when the CDN is not', async () => {
    const away = { ...cdn, settings: async () => undefined }
    const { body } = await ask(SETTINGS, {}, { source: { browser: {}, cdn: away } })
    expect(Object.keys(JSON.parse(String(body)).integrations)).toEqual(['Segment.io'])
  })

  it('integrations come through, gzipped too', async () => {
    const plain = await ask(INTEGRATION, {}, { source })
    expect(plain).toMatchObject({ status: 200, body: asset.body })
    expect(plain.headers).toMatchObject({
      'content-type': 'text/javascript',
      'cache-control': 'public, max-age=3600',
      'x-content-type-options': 'nosniff',
    })
    const gzipped = await ask(INTEGRATION, { headers: GZIP }, { source })
    expect(gzipped.body).toEqual(gzipSync(asset.body))
  })

  it('what the CDN has not is not found', async () => {
    const other: ResourceEndpoint = { kind: 'integration', path: '/next-integrations/other.js' }
    expect((await ask(other, {}, { source })).status).toBe(404)
    expect((await ask(INTEGRATION)).status).toBe(404)
    expect((await ask(INTEGRATION, {}, { source: undefined })).status).toBe(404)
  })
})
