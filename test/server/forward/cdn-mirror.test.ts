import { describe, expect, it } from '@jest/globals'
import { CdnMirror } from '../../../server/forward/cdn-mirror.js'
import { FakeClock } from '../../fake-clock.js'
import { FakeUpstream, networkError, type UpstreamCall } from './fake-upstream.js'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const JSON_TYPE = { 'content-type': 'application/json' }
const SCRIPT_TYPE = { 'content-type': 'application/javascript; charset=utf-8' }
const SCRIPT = '/next-integrations/actions/amplitude-plugins/0a1b.js'

function harness() {
  const clock = new FakeClock()
  const upstream = new FakeUpstream()
  const lines: string[] = []
  const log = (line: unknown) => void lines.push(String(line))
  const logger = { info: log, warn: log, error: log }
  const mirror = new CdnMirror({ url: 'https://cdn.test/', clock, logger, fetch: upstream.fetch })
  return { clock, upstream, lines, mirror }
}

describe('settings', () => {
  it('are asked for by write key, and kept for 5 minutes', async () => {
    const { clock, upstream, mirror } = harness()
    let asked = 0
    upstream.onCall = (call) => call.answer(200, JSON_TYPE, JSON.stringify({ asked: ++asked }))
    expect(await mirror.settings('a key/?#')).toEqual({ asked: 1 })
    expect(upstream.calls[0]?.url).toBe('https://cdn.test/v1/projects/a%20key%2F%3F%23/settings')
    await clock.advance(5 * MINUTE_MS - 1)
    expect(await mirror.settings('a key/?#')).toEqual({ asked: 1 })
    expect(await mirror.settings('other')).toEqual({ asked: 2 })
    await clock.advance(1)
    expect(await mirror.settings('a key/?#')).toEqual({ asked: 3 })
    expect(clock.timers).toBe(0)
  })

  it('are asked for once by callers that want them at a time', async () => {
    const { clock, upstream, mirror } = harness()
    const all = Promise.all(Array.from({ length: 10 }, () => mirror.settings('key')))
    await clock.settle()
    expect(upstream.calls).toHaveLength(1)
    upstream.calls[0]?.answer(200, JSON_TYPE, '{"a":1}')
    expect(await all).toEqual(Array(10).fill({ a: 1 }))
  })

  it('are used for a day while they cannot be had anew', async () => {
    const { clock, upstream, mirror } = harness()
    upstream.onCall = (call) => call.answer(200, JSON_TYPE, '{"a":1}')
    await mirror.settings('key')
    upstream.onCall = (call) => call.answer(503)
    await clock.advance(24 * HOUR_MS - 1)
    expect(await mirror.settings('key')).toEqual({ a: 1 })
    expect(upstream.calls).toHaveLength(2)
    await clock.advance(1)
    expect(await mirror.settings('key')).toBeUndefined()
  })

  it('are not asked for within 30 seconds of a failure', async () => {
    const { clock, upstream, mirror } = harness()
    upstream.onCall = (call) => call.fail(networkError('ENOTFOUND'))
    expect(await mirror.settings('key')).toBeUndefined()
    await clock.advance(29_999)
    expect(await mirror.settings('key')).toBeUndefined()
    expect(upstream.calls).toHaveLength(1)
    upstream.onCall = (call) => call.answer(200, JSON_TYPE, '{"a":1}')
    await clock.advance(1)
    expect(await mirror.settings('key')).toEqual({ a: 1 })
  })

  it('are waited for 3 seconds', async () => {
    const { clock, upstream, mirror, lines } = harness()
    const settings = mirror.settings('key')
    await clock.advance(2999)
    expect(upstream.calls[0]?.init.signal?.aborted).toBe(false)
    await clock.advance(1)
    expect(await settings).toBeUndefined()
    expect(lines).toEqual(["Settings of Segment's CDN could not be had, 1 time(s): no answer in time"])
  })

  it.each<[string, (call: UpstreamCall) => void]>([
    ['an array', (call) => call.answer(200, JSON_TYPE, '[]')],
    ['null', (call) => call.answer(200, JSON_TYPE, 'null')],
    ['HTML', (call) => call.answer(200, { 'content-type': 'text/html' }, '<html>secret-key</html>')],
    ['an object with 404', (call) => call.answer(404, JSON_TYPE, '{"a":1}')],
    ['a redirect', (call) => call.answer(302, { location: 'https://evil.test/secret-key' })],
    ['more than 1 MB', (call) => call.answer(200, JSON_TYPE, `{}${' '.repeat(1024 * 1024 - 1)}`)],
    ['a failure', (call) => call.fail(new Error('secret-key'))],
  ])('are none where the answer is %s; the log says so without the key', async (_what, onCall) => {
    const { upstream, mirror, lines } = harness()
    upstream.onCall = onCall
    expect(await mirror.settings('secret-key')).toBeUndefined()
    expect(lines).toHaveLength(1)
    expect(lines.join()).not.toContain('secret')
    expect(upstream.calls[0]?.init.redirect).toBe('manual')
  })

  it('may have 1 MB', async () => {
    const { upstream, mirror } = harness()
    upstream.onCall = (call) => call.answer(200, JSON_TYPE, `{}${' '.repeat(1024 * 1024 - 2)}`)
    expect(await mirror.settings('key')).toEqual({})
  })

  it('are kept of 1000 sources', async () => {
    const { upstream, mirror } = harness()
    upstream.onCall = (call) => call.answer(200, JSON_TYPE, '{}')
    for (let i = 0; i <= 1000; i++) await mirror.settings(`key-${i}`)
    await mirror.settings('key-1')
    expect(upstream.calls).toHaveLength(1001)
    await mirror.settings('key-0')
    expect(upstream.calls).toHaveLength(1002)
  })

  it.each(['', '.', '..', '\ud800'])('are not asked for by a key that leads elsewhere: %j', async (key) => {
    const { upstream, mirror } = harness()
    expect(await mirror.settings(key)).toBeUndefined()
    expect(upstream.calls).toEqual([])
  })
})

describe('assets', () => {
  it('are kept for an hour, with their type', async () => {
    const { clock, upstream, mirror } = harness()
    upstream.onCall = (call) => call.answer(200, SCRIPT_TYPE, 'let a')
    const asset = { contentType: 'application/javascript; charset=utf-8', body: Buffer.from('let a') }
    expect(await mirror.asset(SCRIPT)).toEqual(asset)
    expect(upstream.calls[0]?.url).toBe(`https://cdn.test${SCRIPT}`)
    await clock.advance(HOUR_MS - 1)
    expect(await mirror.asset(SCRIPT)).toEqual(asset)
    expect(upstream.calls).toHaveLength(1)
    await clock.advance(1)
    await mirror.asset(SCRIPT)
    expect(upstream.calls).toHaveLength(2)
  })

  it.each([
    '/next-integrations/integrations/vendor/commons.59560acc69acf4e7bb3a.js.gz',
    '/next-integrations/@scope/a..b/file.js.map',
    '/next-integrations/...',
  ])('are asked for: %s', async (path) => {
    const { upstream, mirror } = harness()
    upstream.onCall = (call) => call.answer(200, SCRIPT_TYPE, 'let a')
    expect(await mirror.asset(path)).toBeDefined()
    expect(upstream.paths).toEqual([path])
  })

  it.each([
    '',
    '/',
    '/v1/projects/key/settings',
    '/next-integrations',
    '/next-integrations/',
    '/next-integrations/../v1/projects/key/settings',
    '/next-integrations/a/..',
    '/next-integrations/./a.js',
    '/next-integrations//a.js',
    '//evil.test/next-integrations/a.js',
    '/next-integrations/..\\a.js',
    '/next-integrations/\\evil.test',
    '/next-integrations/%2e%2e/a.js',
    '/next-integrations/a%2fb.js',
    '/next-integrations/a.js?b',
    '/next-integrations/a.js#b',
    '/next-integrations/a.js\n',
    '/next-integrations/a b.js',
    '/x/next-integrations/a.js',
    'https://evil.test/next-integrations/a.js',
    '@evil.test/next-integrations/a.js',
    `/next-integrations/${'a'.repeat(512)}`,
  ])('are not asked for at another path: %j', async (path) => {
    const { upstream, mirror } = harness()
    upstream.onCall = (call) => call.answer(200, SCRIPT_TYPE, 'let a')
    expect(await mirror.asset(path)).toBeUndefined()
    expect(upstream.calls).toEqual([])
  })

  it.each<[string, number, Record<string, string>, number]>([
    ['HTML', 200, { 'content-type': 'text/html' }, 10],
    ['of no type', 200, { 'content-type': '' }, 10],
    ['an SVG', 200, { 'content-type': 'image/svg+xml' }, 10],
    ['a 206', 206, SCRIPT_TYPE, 10],
    ['a 403', 403, JSON_TYPE, 10],
    ['larger than 5 MB', 200, SCRIPT_TYPE, 5 * 1024 * 1024 + 1],
  ])('are none where the answer is %s', async (_what, status, headers, size) => {
    const { upstream, mirror, lines } = harness()
    upstream.onCall = (call) => call.answer(status, headers, Buffer.alloc(size, ' '))
    expect(await mirror.asset(SCRIPT)).toBeUndefined()
    expect(lines).toHaveLength(1)
    expect(lines.join()).not.toContain('next-integrations')
  })

  it('are kept up to 32 MB in all', async () => {
    const { upstream, mirror } = harness()
    const body = Buffer.alloc(5 * 1024 * 1024, ' ')
    upstream.onCall = (call) => call.answer(200, SCRIPT_TYPE, body)
    for (let i = 0; i < 7; i++) await mirror.asset(`${SCRIPT}.${i}`)
    await mirror.asset(`${SCRIPT}.1`)
    expect(upstream.calls).toHaveLength(7)
    await mirror.asset(`${SCRIPT}.0`)
    expect(upstream.calls).toHaveLength(8)
  })

  it('that are not there push out none that are', async () => {
    const { upstream, mirror } = harness()
    upstream.onCall = (call) =>
      call.path === SCRIPT ? call.answer(200, SCRIPT_TYPE, 'let a') : call.answer(404)
    await mirror.asset(SCRIPT)
    for (let i = 0; i < 12_000; i++) await mirror.asset(`/next-integrations/${i}`)
    upstream.calls.length = 0
    expect(await mirror.asset(SCRIPT)).toBeDefined()
    expect(upstream.calls).toEqual([])
  })

  it('are loaded 32 at a time at most', async () => {
    const { clock, upstream, mirror } = harness()
    const assets = Promise.all(Array.from({ length: 40 }, (_, i) => mirror.asset(`${SCRIPT}.${i}`)))
    await clock.settle()
    expect(upstream.calls).toHaveLength(32)
    for (const call of upstream.calls) call.answer(200, SCRIPT_TYPE, 'let a')
    expect((await assets).filter((asset) => asset === undefined)).toHaveLength(8)
    // That was no failure of theirs.
    upstream.onCall = (call) => call.answer(200, SCRIPT_TYPE, 'let a')
    expect(await mirror.asset(`${SCRIPT}.39`)).toBeDefined()
  })
})
