// npm leaves optional packages that it could not get out of the lock file without a word, and `npm ci` then fails
// elsewhere. Exits with 1 and names them where the lock file does not hold every optional dependency it speaks of.
import { readFileSync } from 'node:fs'

const { packages } = JSON.parse(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8'))

/** Whether a package at `path` finds `name` in its own node_modules or one above. */
function isHeld(path, name) {
  if (`${path && `${path}/`}node_modules/${name}` in packages) return true
  if (path === '') return false
  const above = path.lastIndexOf('/node_modules/')
  return isHeld(above < 0 ? '' : path.slice(0, above), name)
}

const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
  Object.keys(optionalDependencies)
    .filter((name) => !isHeld(path, name))
    .map((name) => `${path || 'package.json'} wants ${name}`),
)
for (const line of missing) console.error(`not in package-lock.json: ${line}`)
process.exitCode = missing.length > 0 ? 1 : 0
