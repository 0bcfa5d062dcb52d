import { execFile } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from '@jest/globals'
import { build, type Format } from 'esbuild'
import { startTestAws } from '../integration/aws.js'
import { tempDir } from '../server/temp-dir.js'
import { ROOT } from './sources.js'

const DIST = pathToFileURL(join(ROOT, 'dist/')).href

/** Sources that are loaded when they are first used. */
const LATER = [
  'plugin/aws/put-calls.ts',
  'plugin/spill/spill-directory.ts',
  'plugin/spill/spill-queue.ts',
  'server/local-aws/local-aws.ts',
]

const run = promisify(execFile)

/** What a Node process of its own says of the built package. */
async function inNode(script: string, ...options: string[]): Promise<unknown> {
  const { stdout } = await run(process.execPath, [...options, '--eval', script], { cwd: ROOT })
  return JSON.parse(stdout)
}

/** Imports the entry point and tells the URLs of all modules that were loaded for it. */
async function modulesLoadedBy(entry: string): Promise<string[]> {
  // Hooks run in a thread of their own: what they see comes back by a port.
  const hooks = `
    let port
    export const initialize = (data) => { port = data.port }
    export const load = async (url, context, next) => { port.postMessage(url); return next(url, context) }`
  const script = `
    import { register } from 'node:module'
    import { MessageChannel } from 'node:worker_threads'
    const { port1, port2 } = new MessageChannel()
    const loaded = []
    const last = 'data:text/javascript,'
    const allTold = new Promise((resolve) => {
      port1.on('message', (url) => (url === last ? resolve() : loaded.push(url)))
    })
    register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(hooks)}), {
      data: { port: port2 }, transferList: [port2],
    })
    await import(${JSON.stringify(entry)})
    await import(last)
    await allTold
    const { createRequire } = await import('node:module')
    port1.close()
    console.log(JSON.stringify([...loaded, ...Object.keys(createRequire(import.meta.url).cache)]))`
  return (await inNode(script, '--input-type=module')) as string[]
}

/** The sources of those modules that are ours: the build puts many into one file. */
function sourcesOf(loaded: readonly string[]): string[] {
  const built = loaded.filter((url) => url.startsWith(DIST))
  return built.flatMap((url) => {
    const { sources } = JSON.parse(readFileSync(new URL(`${url}.map`), 'utf8')) as { sources: string[] }
    return sources.map((source) => relative(ROOT, fileURLToPath(new URL(source, url))))
  })
}

beforeAll(() => {
  if (!existsSync(join(ROOT, 'dist/plugin/index.js'))) throw new Error('Build first: npm run build')
})

describe("import 'analytics-firehose'", () => {
  it('loads neither Express, nor the server, nor the local AWS', async () => {
    const loaded = await modulesLoadedBy('analytics-firehose')
    expect(loaded.filter((url) => url.includes('/node_modules/express/'))).toEqual([])
    const sources = sourcesOf(loaded)
    expect(sources).toContain('plugin/mapper.ts')
    expect(sources.filter((source) => source.startsWith('server/'))).toEqual([])
  })

  it('does not need @segment/analytics-node when it runs', async () => {
    const loaded = await modulesLoadedBy('analytics-firehose')
    expect(loaded.filter((url) => url.includes('/@segment/analytics-node/'))).toEqual([])
  })

  it.each(['analytics-firehose', 'analytics-firehose/server'])(
    'loads the AWS SDK, the spill and the local AWS only when they are used: %s',
    async (entry) => {
      const loaded = await modulesLoadedBy(entry)
      expect(loaded.filter((url) => /\/@(aws-sdk|smithy)\//.test(url))).toEqual([])
      const sources = sourcesOf(loaded)
      expect(sources).toContain('plugin/aws/client-pool.ts')
      expect(LATER.filter((source) => sources.includes(source))).toEqual([])
      expect(LATER.filter((source) => !existsSync(join(ROOT, source)))).toEqual([])
    },
  )

  it('is told apart from a package that does load Express', async () => {
    const loaded = await modulesLoadedBy('express')
    expect(loaded.filter((url) => url.includes('/node_modules/express/'))).not.toEqual([])
  })
})

describe("require('analytics-firehose')", () => {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    exports: Record<string, unknown>
  }
  const entries = Object.keys(manifest.exports)
    .filter((path) => path !== './package.json')
    .map((path) => path.replace('.', 'analytics-firehose'))

  it.each(entries)('works for %s: no module of it waits at its top level', async (entry) => {
    const names = await inNode(`console.log(JSON.stringify(Object.keys(require(${JSON.stringify(entry)}))))`)
    expect(names).not.toEqual([])
  })

  it('gives the same functions as import', async () => {
    const script = `import('analytics-firehose').then((esm) => {
      const cjs = require('analytics-firehose')
      console.log(JSON.stringify(Object.keys(esm).filter((name) => cjs[name] !== esm[name])))
    })`
    expect(await inNode(script)).toEqual([])
  })
})

describe('a bundle of a program that uses it', () => {
  const program = `
    import { createDelivery } from 'analytics-firehose'
    const delivery = createDelivery({ settings: JSON.parse(process.env.SETTINGS) })
    delivery.deliver([{ stream: 'everything', data: Buffer.from('{}\\n') }]).then(async ([outcome]) => {
      await delivery.close()
      console.log(JSON.stringify(outcome.status))
    })`

  it.each<[Format, string]>([
    ['cjs', ''],
    // As esbuild's users do for CommonJS among what they use, such as the AWS SDK.
    ['esm', "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);"],
  ])('delivers, and warns of nothing, as %s', async (format, banner) => {
    const aws = await startTestAws()
    try {
      const { outputFiles, warnings } = await build({
        stdin: { contents: program, resolveDir: ROOT },
        banner: { js: banner },
        bundle: true,
        platform: 'node',
        format,
        write: false,
      })
      expect(warnings).toEqual([])
      const file = join(tempDir(), format === 'esm' ? 'bundle.mjs' : 'bundle.cjs')
      writeFileSync(file, outputFiles[0]?.text ?? '')
      const { logger: _, ...settings } = aws.settings()
      const env = { PATH: process.env['PATH'], SETTINGS: JSON.stringify(settings) }
      const { stdout } = await run(process.execPath, ['--no-warnings', file], { env })
      expect(JSON.parse(stdout)).toBe('delivered')
    } finally {
      await aws.close()
    }
  })
})
