import { fileURLToPath } from 'node:url'

/** Tests run the sources of this folder, the parts are always those that the compiler made of them. */
const isBuilt = import.meta.url.includes('/.build/')

/** The compiled file of a source of this folder. */
export function builtFile(name: string): string {
  return fileURLToPath(new URL(isBuilt ? name : `.build/${name}`, import.meta.url))
}

/** `analytics-firehose`, as built. */
export const BINARY = fileURLToPath(
  new URL(isBuilt ? '../../../dist/server/bin.js' : '../../dist/server/bin.js', import.meta.url),
)
