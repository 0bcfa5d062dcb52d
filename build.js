import { copyFile, readFile } from 'node:fs/promises'
import { build } from 'esbuild'

/** Files with which a program may begin. What several need, and what is loaded later, becomes chunks of its own. */
const ENTRIES = ['plugin/index.ts', 'server/index.ts', 'server/local-aws/index.ts', 'server/bin.ts']

/** Dependencies of which a part is needed: that is bundled. They are installed all the same, for their types. */
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
