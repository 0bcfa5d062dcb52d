import { copyFile, readFile } from 'node:fs/promises'
import { build } from 'esbuild'

/** Files with which a program may begin. What several need, and what is loaded later, become chunks of their own. */
const ENTRIES = ['plugin/index.ts', 'server/index.ts', 'server/local-aws/index.ts', 'server/bin.ts']

/**
 * Dependencies of many files, of which only what is needed is bundled. They are installed all the same, for their
 * types. None of them reads what strangers send: those that do stay outside, where each user can update them.
 */
const BUNDLED = ['commander', 'yaml', 'zod']

const { dependencies, peerDependencies } = JSON.parse(await readFile('package.json', 'utf8'))
const external = Object.keys({ ...dependencies, ...peerDependencies }).filter(
  (name) => !BUNDLED.includes(name),
)

// A process that loads few files starts faster.
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
  // Those of them that are CommonJS require modules of Node.js. By `createRequire` it would break in users' own bundles.
  banner: { js: 'const require = process.getBuiltinModule' },
  external,
  sourcemap: true,
  logLevel: 'warning',
})

// Their licences are to go with every copy.
for (const name of BUNDLED) await copyFile(`node_modules/${name}/LICENSE`, `dist/chunks/${name}-LICENSE`)
