import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from '@jest/globals'
import { findAnalyticsPackage } from '../../../server/web/analytics-package.js'
import { Bundles } from '../../../server/web/bundles.js'

const folders: string[] = []

async function bundlesOf(files: Readonly<Record<string, string>>) {
  const folder = await mkdtemp(join(tmpdir(), 'bundles-'))
  folders.push(folder)
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  return { folder, bundles: new Bundles(async () => ({ version: '1', folder })) }
}

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true })
})

describe('Bundles', () => {
  it('has every part of the package that is installed, and its gzipped form', async () => {
    const { folder } = await findAnalyticsPackage()
    const names = (await readdir(folder)).filter((name) => name.includes('.bundle.') && !name.endsWith('.gz'))
    expect(names.length).toBeGreaterThan(8)
    const bundles = new Bundles()
    for (const name of names) {
      const content = await bundles.content(name)
      expect(gunzipSync(content?.gzipped ?? '')).toEqual(content?.body)
      expect(content?.contentType).toMatch(name.endsWith('.map') ? /^application\/json/ : /^text\/javascript/)
    }
  })

  it('names no host of Segment’s in a part', async () => {
    const { folder } = await findAnalyticsPackage()
    const bundles = new Bundles()
    for (const name of (await readdir(folder)).filter((it) => /\.bundle\..*\.js$/.test(it))) {
      expect(String((await bundles.content(name))?.body)).not.toMatch(/segment\.(?:com|io|build)|segmentapis/)
    }
  })

  it('has its parts by their hashes alone', async () => {
    const { bundles } = await bundlesOf({
      'auto-track.bundle.0123456789.js': 'a',
      'b.bundle.abcdef0123.js': 'b',
    })
    expect(await bundles.content('0123456789.js')).toEqual(
      await bundles.content('auto-track.bundle.0123456789.js'),
    )
    expect(String((await bundles.content('abcdef0123.js'))?.body)).toBe('b')
    expect(await bundles.content('23456789.js')).toBeUndefined()
  })

  it.each([
    'standalone.js',
    'index.js',
    'index.js.map',
    'none.bundle.0123456789.js',
    '../umd/standalone.js',
    '../../package.json',
    '',
    '.',
    'constructor',
  ])('has nothing called %j', async (name) => {
    expect(await new Bundles().content(name)).toBeUndefined()
  })

  it('has no gzipped form under its own name', async () => {
    const { bundles } = await bundlesOf({ 'a.bundle.0123456789.js': 'a', 'a.bundle.0123456789.js.gz': 'z' })
    expect(await bundles.content('a.bundle.0123456789.js.gz')).toBeUndefined()
    expect(await bundles.content('a.bundle.0123456789.js')).toMatchObject({ gzipped: Buffer.from('z') })
  })

  it('reads a part once, when it is asked for', async () => {
    const { folder, bundles } = await bundlesOf({ 'a.bundle.0123456789.js': 'before' })
    expect(await bundles.content('b.bundle.0123456789.js')).toBeUndefined()
    await writeFile(join(folder, 'a.bundle.0123456789.js'), 'after')
    const content = await bundles.content('a.bundle.0123456789.js')
    expect(String(content?.body)).toBe('after')
    expect(await bundles.content('a.bundle.0123456789.js')).toBe(content)
  })
})
