import { runInNewContext } from 'node:vm'
import { describe, expect, it } from '@jest/globals'
import type { PublicUrl } from '../../../server/web/public-url.js'
import { renderSnippet } from '../../../server/web/snippet.js'

const HTTPS: PublicUrl = { protocol: 'https', host: 'events.example.com', path: '/mount', isConfigured: true }
const HTTP: PublicUrl = { protocol: 'http', host: '127.0.0.1:8080', path: '', isConfigured: false }

/** What a page has after the snippet ran in it. */
async function ran(
  url: PublicUrl,
  { writeKey = 'key', customPath }: { writeKey?: string; customPath?: string } = {},
) {
  const html = await renderSnippet({ writeKey, url, customPath })
  const [, script = ''] = /^<script>\n(.*)\n<\/script>\n$/s.exec(html) ?? []
  const loaded: { readonly src?: string }[] = []
  const element = () => ({
    setAttribute: () => {},
    parentNode: { insertBefore: (it: object) => loaded.push(it) },
  })
  const window: { analytics?: { _writeKey: string; _cdn: string } & unknown[][] } = {}
  const document = {
    createElement: element,
    getElementsByTagName: () => [element()],
    querySelector: () => null,
    title: '',
    referrer: '',
  }
  runInNewContext(script, { window, document, location: {} })
  return { html, analytics: window.analytics, src: loaded[0]?.src }
}

describe('the snippet', () => {
  it('loads analytics.js from here and views the page', async () => {
    const { analytics, src } = await ran(HTTPS)
    expect(src).toBe('https://events.example.com/mount/analytics.js/v1/key/analytics.min.js')
    expect(analytics).toMatchObject({ _writeKey: 'key', _cdn: 'https://events.example.com/mount' })
    expect(analytics?.[0]?.[0]).toBe('page')
  })

  it('speaks http where this server does', async () => {
    const { html, analytics, src } = await ran(HTTP)
    expect(src).toBe('http://127.0.0.1:8080/analytics.js/v1/key/analytics.min.js')
    expect(analytics?._cdn).toBe('http://127.0.0.1:8080')
    expect(html).not.toContain('https:')
  })

  it('loads it from the custom path where there is one', async () => {
    const { html, analytics, src } = await ran(HTTPS, { customPath: '/x7' })
    expect(src).toBe('https://events.example.com/mount/x7/key.js')
    expect(analytics?._cdn).toBe('https://events.example.com/mount/x7')
    expect(html).not.toMatch(/analytics\.js|segment\.com/)
  })

  it.each(['"</script><script>alert(1)//', "'\\\n\u2028<!--", 'a/b?c#d', '$& {{x}}'])(
    'holds the write key %j as it is, and runs nothing of it',
    async (writeKey) => {
      const { html, analytics, src } = await ran(HTTPS, { writeKey })
      expect(analytics?._writeKey).toBe(writeKey)
      expect(src).toBe(
        `https://events.example.com/mount/analytics.js/v1/${encodeURIComponent(writeKey)}/analytics.min.js`,
      )
      expect(html.match(/<\/?script|<!--/g)).toEqual(['<script', '</script'])
    },
  )
})
