import { copyFile, readFile } from 'node:fs/promises'
import { build } from 'esbuild'

/** Files with which a program may begin. What several need, and what is loaded later, becomes chunks of its own. */
const ENTRIES = ['plugin/index.ts', 'server/index.ts', 'server/local-aws/index.ts', 'server/bin.ts']

/**
 * Dependencies that come in many files: what is needed of them is bundled. They are installed all the same, for their
 * types. None may read what strangers send, as each user can bring up to date only what stays outside; nor be CommonJS,
 * which needs a `require` of its own, and that breaks in the bundles of users.
 */
const BUNDLED = ['zod']

const { dependencies, peerDependencies } = JSON.parse(await readFile('package.json', 'utf8'))
const external = Object.keys({ ...dependencies, ...peerDependencies }).filter(
  (name) => !BUNDLED.includes(name),
)

// Bundled, as a process starts faster that loads few files.
await build({
  entryPoints: ENTRIES,
  outbase: '.',
  outdir: 'dist',
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  external,
  sourcemap: true,
  sourcesContent: false,
  logLevel: 'warning',
})

for (const name of BUNDLED) await copyFile(`node_modules/${name}/LICENSE`, `dist/chunks/${name}-LICENSE`)
