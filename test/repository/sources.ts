import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's folder. */
export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..')

export interface Source {
  /** From the repository's folder, such as `plugin/mapper.ts`. */
  readonly path: string
  readonly text: string
  /** Paths of the sources that it imports or re-exports from, types included. */
  readonly imports: readonly string[]
}

/** `import … from`, `export … from`, `import '…'` and `import('…')` of a relative path. */
const RELATIVE_IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*['"](?<path>\.{1,2}\/[^'"]*)['"]/g

/** All TypeScript under folders of the repository. */
export function readSources(...folders: readonly string[]): Source[] {
  return folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .sort()
      .map((name) => sourceOf(join(folder, name))),
  )
}

function sourceOf(path: string): Source {
  const text = readFileSync(join(ROOT, path), 'utf8')
  const imports = [...text.matchAll(RELATIVE_IMPORT)].map((match) => {
    const target = resolve(ROOT, dirname(path), match.groups?.['path'] ?? '')
    return relative(ROOT, target).replace(/\.js$/, '.ts')
  })
  return { path, text, imports }
}
