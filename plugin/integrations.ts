/** The name under which events switch this destination on and off in `integrations`. Source: Segment's catalog. */
export const DESTINATION_NAME = 'Amazon Kinesis Firehose'

/**
 * Whether an event is meant for this destination, as `enabled()` of `@segment/facade` decides: the destination's own
 * entry decides, else `all`, else yes. An own entry that is no boolean switches on, whether it is a set of options,
 * `null` or `""`. The destination is found by its exact name, `all` in any case and with any signs in it (`All`, `a-l-l`).
 *
 * It differs from facade on purpose in this:
 * - An event is what its JSON says. A member that is `undefined` is absent; `__proto__` and `hasOwnProperty` are names
 *   like any other, where facade inherits from the one and throws at the other.
 * - Facade reads `context` where an event has no `options`, as Segment's API once did. Segment's spec now reserves
 *   `context` for what the spec lists, so an `all` in there is no switch, and must not outweigh `integrations`.
 *
 * In the plugin, `@segment/analytics-node` decides first: it withholds events whose own entry is `""` or `0`, or `null`
 * with `All: false`.
 *
 * @param integrations - the event's `integrations`
 * @param options - the event's `options`, the older place of integrations, which analytics-ruby still passes on
 * @see https://github.com/segmentio/facade
 * @see https://segment.com/docs/connections/spec/common/#integrations
 */
export function isEnabledFor(integrations: unknown, options?: unknown): boolean {
  const listed = integrations || find(options, 'providers') || options
  const own = ownValue(listed, DESTINATION_NAME)
  if (own !== undefined) return typeof own === 'boolean' ? own : true
  const provider = ownValue(ownValue(listed, 'providers'), DESTINATION_NAME)
  if (provider !== undefined) return Boolean(provider)
  for (const all of [find(options, 'providers.all'), find(options, 'all'), find(listed, 'all')]) {
    if (typeof all === 'boolean') return all
  }
  return true
}

function ownValue(object: unknown, key: string): unknown {
  return isObject(object) && Object.hasOwn(object, key) ? object[key] : undefined
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

/**
 * The value at a path, found as `obj-case` of facade finds it: by keys that say the path's parts in any case and with
 * any signs between. The first key that fits leads the way, even where another would lead further.
 *
 * @param path - in lower case
 * @see https://github.com/segmentio/obj-case
 */
function find(object: unknown, path: string): unknown {
  if (!isObject(object)) return undefined
  for (const key of Object.keys(object)) {
    const length = lengthOfMatch(key, path)
    const value = length > 0 ? object[key] : undefined
    if (value === undefined) continue
    return length === path.length || value === null ? value : find(value, path.slice(length + 1))
  }
  return undefined
}

/** How much of a path a key says: all of it, or all up to a point; 0 where it says neither. */
function lengthOfMatch(key: string, path: string): number {
  let length = 0
  for (let i = 0; i < key.length; i++) {
    const code = key.charCodeAt(i)
    if (!isLetterDigitOrPoint(code)) continue
    if (lowerCase(code) !== path.charCodeAt(length)) return 0
    length++
  }
  return length === path.length || path[length] === '.' ? length : 0
}

const [POINT, ZERO, NINE, UPPER_A, UPPER_Z, LOWER_A, LOWER_Z] = [46, 48, 57, 65, 90, 97, 122]

function isLetterDigitOrPoint(code: number): boolean {
  const isDigit = code >= ZERO && code <= NINE
  const isLetter = (code >= UPPER_A && code <= UPPER_Z) || (code >= LOWER_A && code <= LOWER_Z)
  return isDigit || isLetter || code === POINT
}

function lowerCase(code: number): number {
  return code >= UPPER_A && code <= UPPER_Z ? code + LOWER_A - UPPER_A : code
}
