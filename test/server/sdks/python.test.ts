import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, it } from '@jest/globals'
import { failure } from '../fake-destination.js'
import { listen, proxyHarness, WEB_KEY } from '../proxy-harness.js'

const run = promisify(execFile)

/** An interpreter that has the SDK: `pip install segment-analytics-python`. */
const PYTHON = process.env['PYTHON'] ?? 'python3'

const isInstalled = await run(PYTHON, ['-c', 'import segment.analytics']).then(
  () => true,
  () => false,
)
const itWithSdk = isInstalled ? it : it.skip
const note = isInstalled ? '' : ' (not run: pip install segment-analytics-python, or set PYTHON)'

const SCRIPT = `
import sys
import segment.analytics as analytics

analytics.write_key, analytics.host, analytics.gzip = sys.argv[1], sys.argv[2], sys.argv[3] == 'gzip'
analytics.on_error = lambda error, items: print(len(items), error)
analytics.track('u1', 'Signed Up', {'plan': 'frée'})
analytics.identify('u1', {'email': 'a@b.c'})
analytics.group('u1', 'g1')
analytics.page('u1', 'c', 'Home')
analytics.screen(anonymous_id='a1', name='Main')
analytics.alias('a1', 'u1')
analytics.shutdown()
`

/** Runs the SDK until all it has is delivered or given up. Resolves with the errors it told of. */
async function python(writeKey: string, host: string, encoding: 'gzip' | 'plain'): Promise<string> {
  // Proxies of the environment would be used for this host too.
  const env = { PATH: process.env['PATH'], NO_PROXY: '*' }
  const { stdout } = await run(PYTHON, ['-c', SCRIPT, writeKey, host, encoding], { env, timeout: 15_000 })
  return stdout
}

itWithSdk.each(['plain', 'gzip'] as const)(`takes what the Python SDK sends, %s${note}`, async (encoding) => {
  const { proxy, web, letters } = proxyHarness()
  expect(await python(WEB_KEY, await listen(proxy), encoding)).toBe('')
  expect(letters).toEqual([])
  expect(web.delivered.map(({ type }) => type)).toEqual([
    'track',
    'identify',
    'group',
    'page',
    'screen',
    'alias',
  ])
  expect(web.delivered[0]).toMatchObject({
    properties: { plan: 'frée' },
    context: { library: { name: 'analytics-python' } },
  })
})

itWithSdk(`has the Python SDK send again what a 503 put off${note}`, async () => {
  const { proxy, web } = proxyHarness()
  let calls = 0
  web.outcome = () => (calls++ === 0 ? failure('ERR_DELIVERY_TIMEOUT') : { status: 'delivered' })
  const url = await listen((req, res) => {
    // As the proxy's, but 1 s instead of 5.
    const writeHead = res.writeHead.bind(res) as (status: number, headers: object) => typeof res
    res.writeHead = ((status: number, headers: object) =>
      writeHead(
        status,
        status === 503 ? { ...headers, 'Retry-After': '1' } : headers,
      )) as typeof res.writeHead
    proxy(req, res)
  })
  expect(await python(WEB_KEY, url, 'plain')).toBe('')
  expect(new Set(web.delivered.map(({ messageId }) => messageId)).size).toBe(6)
})

itWithSdk(`tells the Python SDK of an unknown write key${note}`, async () => {
  const { proxy, web } = proxyHarness()
  expect(await python('mistyped-key', await listen(proxy), 'plain')).toContain(
    '6 [Segment] invalid_write_key',
  )
  expect(web.calls).toEqual([])
})
