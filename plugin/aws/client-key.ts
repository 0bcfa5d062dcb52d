import type { ClientIdentity } from './sdk-clients.js'

/**
 * Makes keys that are equal for identities that may share a client. Plain values in `clientConfig` are compared by
 * what they hold, so that two sources read from one file share; functions and instances by which one they are.
 *
 * SECURITY: a key holds the external ID and credentials; it stays in memory.
 */
export function createClientKeys(): (identity: ClientIdentity) => string {
  const keys = new WeakMap<ClientIdentity, string>()
  const ids = new WeakMap<object, number>()
  let nextId = 0

  const comparable = (name: string, value: unknown): unknown => {
    // The SDK marks credentials it was given with where they come from (`$source`).
    if (name.startsWith('$')) return undefined
    if (typeof value === 'bigint' || typeof value === 'symbol') return String(value)
    const isReference = typeof value === 'function' || (typeof value === 'object' && value !== null)
    if (!isReference || Array.isArray(value) || isPlain(value)) return value
    if (!ids.has(value)) ids.set(value, nextId++)
    return { '': ids.get(value) }
  }

  return (identity) => {
    const known = keys.get(identity)
    if (known !== undefined) return known
    const { region, roleAddress, externalId, endpoint, stsEndpoint, clientConfig } = identity
    const { assumeRole, httpsProxy } = identity
    const options = Object.entries(clientConfig).sort(([a], [b]) => (a < b ? -1 : 1))
    const parts = [region, roleAddress, externalId, endpoint, stsEndpoint, options, assumeRole, httpsProxy]
    const key = JSON.stringify(parts, comparable)
    keys.set(identity, key)
    return key
  }
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value)
  return (prototype === Object.prototype || prototype === null) && !('toJSON' in value)
}
