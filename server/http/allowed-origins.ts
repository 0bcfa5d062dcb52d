/** scheme://host[:port] and nothing else: no user, no path, nothing that `URL` would decode or leave out. */
const ORIGIN = /^[a-z][a-z\d+.-]*:\/\/(?:\[[\da-f:.]+\]|[^\s/?#@\\%:*[\]]+)(?::\d{1,5})?$/i

/** All that a browser sends; `URL` would leave out some of what is beyond, such as soft hyphens. */
const PRINTABLE_ASCII = /^[\x21-\x7e]+$/

/** A host has 253 characters at most. */
const MAX_ORIGIN_LENGTH = 512

const WILDCARD = '://*.'
const LABELS = /^[^.]+(?:\.[^.]+)*$/
const PARENT = /^(?:\.[^.]+)+$/

/** The address of this server itself. Without a protocol, both schemes count as its own. */
export interface OwnAddress {
  readonly protocol?: 'http' | 'https'
  /** Includes the port, unless it is the scheme's default. */
  readonly host: string | undefined
}

/** Subdomains: what an origin must begin and end with, and what stands between are labels. */
interface Wildcard {
  readonly start: string
  readonly end: string
}

/**
 * Whether a text can stand in a list of origins: `https://example.com`, `https://*.example.com`, with or without a
 * port, `null` (the origin of files and sandboxed frames) or `*` for all.
 */
export function isOriginPattern(text: string): boolean {
  return text === '*' || text === 'null' || wildcardOf(text) !== undefined || normalOrigin(text) !== undefined
}

/**
 * Which web pages may send events from a browser. A page of our own host always may.
 *
 * SECURITY: origins are compared whole, in the form that browsers send. A wildcard stands for one or more labels:
 * `https://*.example.com` allows neither `https://example.com` nor `https://evilexample.com`.
 */
export class AllowedOrigins {
  readonly #allowsAll: boolean
  readonly #exact: ReadonlySet<string>
  readonly #wildcards: readonly Wildcard[]

  /** @throws TypeError for what is no {@link isOriginPattern} */
  constructor(origins: '*' | readonly string[]) {
    const patterns = typeof origins === 'string' ? [origins] : origins
    const wrong = patterns.find((pattern) => !isOriginPattern(pattern))
    if (wrong !== undefined) {
      throw new TypeError(`${JSON.stringify(wrong)} is no origin; write one as https://www.example.com`)
    }
    this.#allowsAll = patterns.includes('*')
    this.#wildcards = patterns.flatMap((pattern) => wildcardOf(pattern) ?? [])
    this.#exact = new Set(
      patterns.flatMap((pattern) => (pattern === 'null' ? pattern : (normalOrigin(pattern) ?? []))),
    )
  }

  allows(origin: string, own: OwnAddress): boolean {
    if (this.#allowsAll || this.#exact.has(origin)) return true
    if (!PRINTABLE_ASCII.test(origin)) return false
    const normal = normalOrigin(origin)
    if (normal === undefined) return false
    return this.#exact.has(normal) || this.#hasWildcardFor(normal) || isOriginOf(normal, own)
  }

  #hasWildcardFor(origin: string): boolean {
    return this.#wildcards.some(
      ({ start, end }) =>
        origin.startsWith(start) &&
        origin.endsWith(end) &&
        LABELS.test(origin.slice(start.length, -end.length)),
    )
  }
}

/** A page of the server's own, whichever of the two leaves the default port out. */
function isOriginOf(origin: string, { protocol, host }: OwnAddress): boolean {
  if (host === undefined || !/^https?:/.test(origin)) return false
  const scheme = protocol ?? origin.slice(0, origin.indexOf(':'))
  return normalOrigin(`${scheme}://${host}`) === origin
}

function wildcardOf(pattern: string): Wildcard | undefined {
  if (!pattern.includes(WILDCARD)) return undefined
  const example = normalOrigin(pattern.replace(WILDCARD, '://any.'))
  if (example === undefined) return undefined
  const [scheme = '', rest = ''] = example.split('://any')
  return PARENT.test(rest) ? { start: `${scheme}://`, end: rest } : undefined
}

/** As browsers send it: in lower case, in Punycode, without the scheme's default port. */
function normalOrigin(text: string): string | undefined {
  if (text.length > MAX_ORIGIN_LENGTH || !ORIGIN.test(text) || !URL.canParse(text)) return undefined
  // `URL.origin` is 'null' for schemes such as that of Capacitor's apps, and leaves their hosts as they are.
  const { protocol, host } = new URL(text)
  return `${protocol}//${host}`.toLowerCase()
}
