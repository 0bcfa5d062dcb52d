import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runInNewContext } from 'node:vm'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import { findAnalyticsPackage } from '../../../server/web/analytics-package.js'
import { Library } from '../../../server/web/library.js'
import { LibraryTemplate, loadLibraryTemplate } from '../../../server/web/library-template.js'
import type { PublicUrl } from '../../../server/web/public-url.js'

const HTTPS: PublicUrl = { protocol: 'https', host: 'events.example.com', path: '/mount', isConfigured: true }
const HTTP: PublicUrl = { protocol: 'http', host: '127.0.0.1:8080', path: '', isConfigured: false }

async function served(
  url: PublicUrl,
  { writeKey = 'key', customPath }: { writeKey?: string; customPath?: string } = {},
) {
  const content = await new Library().content({ writeKey, url, customPath })
  return content.body.toString()
}

async function original(): Promise<string> {
  const { folder } = await findAnalyticsPackage()
  return readFile(join(folder, 'standalone.js'), 'utf8')
}

function timesIn(text: string, part: string): number {
  return text.split(part).length - 1
}

describe('analytics.js as it is served', () => {
  it('has the write key', async () => {
    expect(timesIn(await served(HTTPS), 'window.analyticsWriteKey="key"')).toBe(1)
  })

  it('asks this server wherever it would ask Segment', async () => {
    const script = await served(HTTPS)
    const base = 'https://events.example.com/mount'
    expect(timesIn(script, `return o||"${base}"`)).toBe(1)
    expect(timesIn(script, `"${base}/analytics.js/v1/".concat(`)).toBe(1)
    expect(timesIn(script, `+"/analytics-next/bundles/":"${base}/analytics-next/bundles/"`)).toBe(1)
    expect(timesIn(script, '"events.example.com/mount/v1"')).toBe(1)
    expect(timesIn(script, '"/v1/projects/"')).toBe(1)
    expect(timesIn(script, '"https"')).toBe(3)
  })

  it('names nothing of Segment but the pattern of its CDN and a page of its docs', async () => {
    const script = await served(HTTP)
    expect(script.match(/[\w.]*segment\.(?:com|io|build|\(com\|build\))/g)?.sort()).toEqual([
      'cdn.segment.(com|build)',
      'segment.com',
    ])
    expect(script).toContain('"https://segment.com/docs/')
  })

  it('speaks http where this server does', async () => {
    const script = await served(HTTP)
    expect(timesIn(script, '"http"')).toBe(3)
    expect(timesIn(script, '"https"')).toBe(0)
    expect(script).toContain('return o||"http://127.0.0.1:8080"')
    expect(script).toContain('"127.0.0.1:8080/v1"')
  })

  it('reads no script tag for its CDN', async () => {
    expect(await original()).toContain(',a=/(https:')
    expect(await served(HTTP)).toContain(',a=/(?!)/,')
  })

  it('points to no source map, whose columns would be wrong', async () => {
    expect(await original()).toContain('sourceMappingURL')
    expect(await served(HTTP)).not.toContain('sourceMappingURL')
  })

  it('stays under the custom path, where no word tells what it is', async () => {
    const script = await served(HTTPS, { customPath: '/x7' })
    expect(script).toContain('return o||"https://events.example.com/mount/x7"')
    expect(script).toContain('+"/b/":"https://events.example.com/mount/x7/b/"')
    expect(script).not.toContain('".bundle."')
    expect(script).toContain('.concat(P,"/c/")')
    expect(script).toContain('"events.example.com/mount/x7"')
    expect(script).not.toMatch(/\/v1\/projects|\/bundles\//)
  })

  it.each([
    '"</script><script>alert(1)//',
    "'+alert(1)+'",
    '\\',
    '\u2028\n\0',
    '$& $1 $`',
    '"__WRITE_KEY__"',
    'https://cdn.segment.com',
  ])('holds the write key %j as it is, and runs nothing of it', async (writeKey) => {
    const script = await served(HTTP, { writeKey })
    const [, literal = ''] = /window\.analyticsWriteKey=(".*?[^\\]"|"\\\\")\}catch/.exec(script) ?? []
    expect(runInNewContext(literal)).toBe(writeKey)
    expect(script).not.toMatch(/<\/script|alert\(1\)\+'/)
    // All else is as for any other key.
    expect(script.replace(literal, '"key"')).toBe(await served(HTTP))
  })
})

describe('LibraryTemplate', () => {
  const text = () => original()

  it('fits the package that is installed', async () => {
    expect(await loadLibraryTemplate()).toBeInstanceOf(LibraryTemplate)
  })

  it.each([
    '"__WRITE_KEY__"',
    '"https://cdn.segment.com"',
    '"https://cdn.segment.com/analytics.js/v1/"',
    '"https://cdn.segment.com/analytics-next/bundles/"',
    '"/analytics-next/bundles/"',
    '"/v1/projects/"',
    '"api.segment.io/v1"',
    '"https"',
    '/(https:\\/\\/.*)\\/analytics\\.js\\/v1\\/(?:.*?)\\/(?:platform|analytics.*)?/',
    '//# sourceMappingURL=standalone.js.map',
  ])('tells the version in which %s is gone, or is there too often', async (part) => {
    const whole = await text()
    expect(() => new LibraryTemplate(whole.replace(part, '0'), '9.9.9')).toThrow(
      /^analytics\.js of @segment\/analytics-next 9\.9\.9 cannot be served from here: it has .* times, not/,
    )
    expect(() => new LibraryTemplate(`${whole}\n${part}`, '9.9.9')).toThrow(/9\.9\.9 .* times, not/)
  })

  it.each(['"https://cdn.segment.com/new/"', "'api.segment.io/v2'", '"eu.segmentapis.com"'])(
    'tells the version that names %s, which no one knew',
    async (part) => {
      const whole = await text()
      expect(() => new LibraryTemplate(`${part};${whole}`, '9.9.9')).toThrow(/9\.9\.9 .* that is not known/)
    },
  )
})

describe('Library', () => {
  function counted(load: () => Promise<LibraryTemplate> = loadLibraryTemplate) {
    const counts = { loads: 0 }
    const library = new Library(() => {
      counts.loads++
      return load()
    })
    return { library, counts }
  }

  it('reads nothing before it is asked, and then once', async () => {
    const { library, counts } = counted()
    expect(counts.loads).toBe(0)
    const ask = (writeKey: string) => library.content({ writeKey, url: HTTPS, customPath: undefined })
    const [a, again, b] = await Promise.all([ask('a'), ask('a'), ask('b')])
    expect(counts.loads).toBe(1)
    expect(again).toBe(a)
    expect(b.etag).not.toBe(a.etag)
  })

  it('makes another for each host and path', async () => {
    const { library } = counted()
    const all = await Promise.all([
      library.content({ writeKey: 'k', url: HTTPS, customPath: undefined }),
      library.content({ writeKey: 'k', url: HTTPS, customPath: '/x7' }),
      library.content({ writeKey: 'k', url: HTTP, customPath: undefined }),
    ])
    expect(new Set(all.map(({ etag }) => etag)).size).toBe(3)
  })

  it('is there gzipped', async () => {
    const { body, gzipped } = await counted().library.content({
      writeKey: 'k',
      url: HTTPS,
      customPath: undefined,
    })
    expect(gunzipSync(gzipped ?? '')).toEqual(body)
  })

  it('forgets what failed', async () => {
    let isBroken = true
    const { library } = counted(() =>
      isBroken ? Promise.reject(new Error('EMFILE')) : loadLibraryTemplate(),
    )
    const ask = () => library.content({ writeKey: 'k', url: HTTPS, customPath: undefined })
    await expect(ask()).rejects.toThrow('EMFILE')
    isBroken = false
    await expect(ask()).resolves.toMatchObject({ contentType: 'text/javascript; charset=utf-8' })
  })

  it('keeps only so many: the host is of the asker’s choice', async () => {
    const { library } = counted(async () => new LibraryTemplate(await original(), '1'))
    const ask = (n: number) =>
      library.content({ writeKey: 'k', url: { ...HTTP, host: `h${n}` }, customPath: undefined })
    const first = await ask(0)
    for (let n = 1; n <= 50; n++) await ask(n)
    expect(await ask(50)).toBe(await ask(50))
    expect(await ask(0)).not.toBe(first)
  })
})
