import { expect, it } from '@jest/globals'
import type { SourceConfig } from '../../../server/index.js'
import { type CollectorOptions, startCollector } from './collector.js'
import { PACKAGE_PATH, startSite } from './site.js'
import { visitor, whereThereIsABrowser } from './visitor.js'

/** What Sentry, OpenTelemetry and Datadog add. */
const TRACING_HEADERS: Readonly<Record<string, string>> = {
  baggage: 'sentry-environment=production,sentry-public_key=abc',
  'sentry-trace': '12345678901234567890123456789012-1234567890123456-1',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  tracestate: 'dd=s:1',
  'x-datadog-origin': 'rum',
  'x-datadog-parent-id': '123',
  'x-datadog-sampling-priority': '1',
  'x-datadog-trace-id': '456',
}

/** Adds the headers to each request of another origin by fetch or XMLHttpRequest, as tracing scripts do. */
const TRACING_SCRIPT = `<script>
  const added = Object.entries(${JSON.stringify(TRACING_HEADERS)})
  const isElsewhere = (url) => new URL(url, location.href).origin !== location.origin
  const plainFetch = window.fetch
  window.fetch = (input, init) => {
    const request = new Request(input, init)
    if (isElsewhere(request.url)) for (const [name, value] of added) request.headers.set(name, value)
    return plainFetch(request)
  }
  const { open, send } = XMLHttpRequest.prototype
  XMLHttpRequest.prototype.open = function (method, url, ...rest) {
    this.isElsewhere = isElsewhere(url)
    return open.call(this, method, url, ...rest)
  }
  XMLHttpRequest.prototype.send = function (body) {
    if (this.isElsewhere) for (const [name, value] of added) this.setRequestHeader(name, value)
    return send.call(this, body)
  }
</script>`

const BATCHING: SourceConfig['browser'] = {
  deliveryStrategy: { strategy: 'batching', config: { size: 2, timeout: 60_000 } },
}

const OWN_HEADERS: SourceConfig['browser'] = {
  deliveryStrategy: { config: { headers: { 'x-tenant': 'shop' }, credentials: 'include', keepalive: true } },
}

whereThereIsABrowser('a page whose requests have headers of others', () => {
  const { open } = visitor()

  const visit = async (options: CollectorOptions, head = TRACING_SCRIPT) => {
    const collector = await startCollector(options)
    const site = await startSite(head + (await collector.snippet()))
    const page = await open(`${site.url}/shop`)
    await page.evaluate("analytics.track('Bought')")
    const records = await collector.records(2)
    expect(records.map(({ type, event }) => event ?? type).sort()).toEqual(['Bought', 'page'])
    expect(collector.requests.all.filter(({ status }) => status >= 300)).toEqual([])
    return { collector, page, site }
  }

  it.each<[string, CollectorOptions, readonly string[]]>([
    ['by the paths of Segment', {}, ['/v1/p', '/v1/t', '/v1/projects/web-key/settings']],
    [
      'below the custom path',
      { config: { customPath: '/e7' } },
      ['/e7/p', '/e7/t', '/e7/c/web-key/settings'],
    ],
    ['in batches', { source: { browser: BATCHING } }, ['/v1/b', '/v1/projects/web-key/settings']],
    [
      'to a middleware',
      { hosting: 'mounted in an Express app' },
      ['/analytics/v1/p', '/analytics/v1/t', '/analytics/v1/projects/web-key/settings'],
    ],
  ])('loads settings and delivers with those of a tracing script: %s', async (_name, options, paths) => {
    const { collector } = await visit(options)
    const traced = collector.requests.all.filter(({ method, headers }) => {
      return method !== 'OPTIONS' && headers['sentry-trace'] !== undefined
    })
    expect(traced.map(({ path }) => path).sort()).toEqual([...paths].sort())
    for (const { headers } of traced) expect(headers).toMatchObject(TRACING_HEADERS)
  })

  it('delivers with those that the settings of the source add', async () => {
    const { collector } = await visit({ source: { browser: OWN_HEADERS } }, '')
    const posted = collector.requests.all.filter(({ method }) => method === 'POST')
    expect(posted.map(({ path, headers }) => [path, headers['x-tenant']]).sort()).toEqual([
      ['/v1/p', 'shop'],
      ['/v1/t', 'shop'],
    ])
  })

  it('delivers with those of a tracing script by the npm package', async () => {
    const collector = await startCollector()
    const cdnURL = JSON.stringify(collector.url)
    const site = await startSite(
      `${TRACING_SCRIPT}
       <script>window.analytics = Object.assign([], { _cdn: ${cdnURL} })</script>
       <script src="${PACKAGE_PATH}"></script>
       <script>AnalyticsNext.AnalyticsBrowser.load({ writeKey: 'web-key', cdnURL: ${cdnURL} }).page()</script>`,
    )
    await open(`${site.url}/shop`)
    expect(await collector.records(1)).toMatchObject([{ type: 'page' }])
    const [posted] = await collector.posted('/v1/p')
    expect(posted?.headers).toMatchObject(TRACING_HEADERS)
  })

  it('reads all that there is by fetch and XMLHttpRequest', async () => {
    const { collector, page } = await visit({ config: { customPath: '/e7' } })
    await page.evaluate("void analytics.trackLink(document.querySelector('#link'), 'Followed')")
    const [part] = await collector.requests.until(1, ({ path }) => /^\/e7\/b\/[\da-f]+\.js$/.test(path))
    const urls = [
      part?.path ?? '',
      '/e7/web-key.js',
      '/analytics.js/v1/web-key/analytics.min.js',
      '/snippet/web-key',
      '/v1/m',
      '/v1/pixel/track?data=e30',
    ]
    const statuses = await page.evaluate(
      `Promise.all(${JSON.stringify(urls)}.flatMap((path) => {
        const method = path === '/v1/m' ? 'POST' : 'GET'
        const url = '${collector.url}' + path
        const byXhr = new Promise((resolve) => {
          const xhr = new XMLHttpRequest()
          xhr.onloadend = () => resolve(xhr.status)
          xhr.open(method, url)
          xhr.send()
        })
        return [fetch(url, { method }).then(({ status }) => status, String), byXhr]
      }))`,
    )
    // An empty event is refused, and the page can read that too.
    expect(statuses).toEqual(urls.flatMap((url) => (url.includes('pixel') ? [401, 401] : [200, 200])))
  })
})
