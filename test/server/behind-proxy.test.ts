import { describe, expect, it } from '@jest/globals'
import { trustOf } from '../../server/http/client-address.js'
import type { Site } from '../../server/site.js'
import { parsePublicUrl } from '../../server/web/public-url.js'
import { basic, listen, proxyHarness, WEB_KEY } from './proxy-harness.js'

const FORWARDED = {
  'x-forwarded-for': '203.0.113.7',
  'x-forwarded-proto': 'https',
  'x-forwarded-host': 'events.example.com',
  'x-request-id': 'trace-1',
}

/** What a request that came through a proxy is told, and what is known of it. */
async function through(more: Partial<Site>) {
  const { proxy, web, lines } = proxyHarness({ more })
  const url = await listen(proxy)
  const ask = () => fetch(`${url}/v1/projects/${WEB_KEY}/settings`, { headers: FORWARDED })
  const settings = (await (await ask()).json()) as { integrations: { 'Segment.io': Record<string, unknown> } }
  await ask()
  const res = await fetch(`${url}/v1/track`, {
    method: 'POST',
    headers: { ...FORWARDED, authorization: basic(WEB_KEY), origin: 'https://www.example.com' },
    body: JSON.stringify({ event: 'E', userId: 'u1' }),
  })
  const { apiHost, protocol } = settings.integrations['Segment.io']
  const [event] = web.delivered as { context?: { ip?: string } }[]
  return {
    at: `${protocol}://${apiHost}`,
    ip: event?.context?.ip,
    id: res.headers.get('x-request-id'),
    lines,
    url,
  }
}

describe('behind a proxy', () => {
  it('that is trusted, its word counts', async () => {
    const { at, ip, id, lines } = await through({ trust: trustOf('loopback') })
    expect([at, ip, id]).toEqual(['https://events.example.com/v1', '203.0.113.7', 'trace-1'])
    expect(lines).toEqual([])
  })

  it('that is not trusted, its word does not count, and that is said once', async () => {
    const { at, ip, id, lines, url } = await through({ trust: trustOf(false) })
    expect([at, ip]).toEqual([`${url}/v1`, '127.0.0.1'])
    expect(id).not.toBe('trace-1')
    expect(lines).toEqual([expect.stringContaining('a proxy that is not trusted')])
  })

  it('the URL of the config counts before all', async () => {
    const publicUrl = parsePublicUrl('https://e.example.com/x')
    const { at, lines } = await through({ publicUrl, trust: trustOf(false) })
    expect(at).toBe('https://e.example.com/x/v1')
    expect(lines).toEqual([])
  })
})
