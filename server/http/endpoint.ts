/** The types of Segment's spec. */
export const EVENT_TYPES = ['track', 'page', 'screen', 'identify', 'group', 'alias'] as const

export type EventType = (typeof EVENT_TYPES)[number]

/**
 * What takes events: one of a type, a batch of any, one in a URL, or telemetry of an SDK about itself. `path` is that
 * of Segment's API, without a trailing slash.
 */
export type IntakeEndpoint = { readonly path: string } & (
  | { readonly kind: 'event'; readonly type: EventType }
  /** `keyInUrl` is the write key of a beacon, which cannot send an Authorization header. */
  | { readonly kind: 'batch'; readonly keyInUrl?: string }
  | { readonly kind: 'pixel'; readonly type: EventType }
  | { readonly kind: 'telemetry' }
)

/** What browsers and phones load before they send anything. */
export type ResourceEndpoint =
  /** The source's settings, as JSON; `isCustom` where they were asked for below the custom path. */
  | { readonly kind: 'settings'; readonly writeKey: string; readonly isCustom: boolean }
  /** What RudderStack's SDKs load in place of settings. The write key comes in the URL or in HTTP Basic. */
  | { readonly kind: 'sourceConfig'; readonly keyInUrl?: string }
  /** analytics.js with the write key in it; `isCustom` as of settings. */
  | { readonly kind: 'library'; readonly writeKey: string; readonly isCustom: boolean }
  /** A part that analytics.js loads when it is needed. */
  | { readonly kind: 'bundle'; readonly file: string }
  /** A destination of Segment's that runs in the browser, by its path on Segment's CDN. */
  | { readonly kind: 'integration'; readonly path: string }
  /** The HTML to paste into a page. */
  | { readonly kind: 'snippet'; readonly writeKey: string }

export type Endpoint = IntakeEndpoint | ResourceEndpoint

const SHORT_PATHS: Readonly<Record<EventType, string>> = {
  track: 't',
  page: 'p',
  screen: 's',
  identify: 'i',
  group: 'g',
  alias: 'a',
}

/** By the path below `/v1/`. */
const INTAKE: ReadonlyMap<string, IntakeEndpoint> = new Map(
  [
    ...['batch', 'b', 'import'].map((name) => at(name, { kind: 'batch' })),
    ...EVENT_TYPES.flatMap((type) =>
      [type, SHORT_PATHS[type]].flatMap((name) => [
        at(name, { kind: 'event', type }),
        at(`pixel/${name}`, { kind: 'pixel', type }),
      ]),
    ),
    at('m', { kind: 'telemetry' }),
  ].map((endpoint) => [endpoint.path.slice('/v1/'.length), endpoint] as const),
)

/** Clients behind a proxy of their own name the host as well. Source: RFC 9112, 3.2.2. */
const ABSOLUTE = /^https?:\/\/[^/?]*/i

const SETTINGS = /^\/v1\/projects\/([^/]+)\/settings$/
const LIBRARY = /^\/analytics\.js\/v1\/([^/]+)\/analytics(?:\.min)?\.js$/
const BUNDLE = /^\/analytics-next\/bundles\/([^/]+)$/
/** Below the custom path too: analytics.js has the word built in. */
const INTEGRATION = /^(\/next-integrations\/.+)$/
const SNIPPET = /^\/snippet\/([^/]+)$/
/** Below the custom path, where no word tells a blocker what it is. */
const CUSTOM_SETTINGS = /^\/c\/([^/]+)\/settings$/
const CUSTOM_LIBRARY = /^\/([^/]+)\.js$/
const CUSTOM_BUNDLE = /^\/b\/([^/]+)$/

/** Paths of RudderStack's API. Source: `gateway/handle_lifecycle.go` of rudder-server, and the sources of its SDKs. */
const BEACON = '/beacon/v1/batch'
const SOURCE_CONFIG = '/sourceConfig'

/** Finds endpoints by path. Below the custom path, if there is one, stands all that browsers ask for once more. */
export class Endpoints {
  readonly #customPath: string | undefined
  readonly #unversionedPaths: boolean | undefined

  /**
   * @param customPath - begins with `/` and does not end with one
   * @param unversionedPaths - whether to find the paths below `/v1` without that prefix too; SDKs that are configured
   * with a bare host use them. @default only if no other handler is there, see `isAlone`
   */
  constructor(customPath?: string, unversionedPaths?: boolean) {
    this.#customPath = customPath
    this.#unversionedPaths = unversionedPaths
  }

  /**
   * The endpoint of a request, `unknown` where there is none under our paths, `elsewhere` for all other paths.
   *
   * @param isAlone - whether no other handler could take the request
   */
  at(url: string, { isAlone = false } = {}): Endpoint | 'unknown' | 'elsewhere' {
    const path = pathOf(url)
    if (path.startsWith('/v1/')) return versionedAt(path) ?? 'unknown'
    if (path === '/v1') return 'unknown'
    if (this.#customPath !== undefined && path.startsWith(`${this.#customPath}/`)) {
      return customAt(path.slice(this.#customPath.length)) ?? 'unknown'
    }
    const endpoint = resourceAt(path) ?? rudderStackAt(path, url)
    if (endpoint !== undefined) return endpoint
    const takesUnversioned = this.#unversionedPaths ?? isAlone
    return (takesUnversioned ? versionedAt(`/v1${path}`) : undefined) ?? 'elsewhere'
  }
}

/** With one slash where there are several: Segment's Java SDK puts its path behind that of its endpoint's own `/`. */
function pathOf(url: string): string {
  const [given = ''] = url.replace(ABSOLUTE, '').split('?', 1)
  const path = given.includes('//') ? given.replace(/\/{2,}/g, '/') : given
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
}

function versionedAt(path: string): Endpoint | undefined {
  return INTAKE.get(path.slice('/v1/'.length)) ?? settingsAt(path)
}

function rudderStackAt(path: string, url: string): Endpoint | undefined {
  if (path !== BEACON && path !== SOURCE_CONFIG) return undefined
  const keyInUrl = parameterOf(url, 'writeKey')
  const key = keyInUrl === undefined ? {} : { keyInUrl }
  return path === BEACON ? { kind: 'batch', path: '/v1/batch', ...key } : { kind: 'sourceConfig', ...key }
}

function settingsAt(path: string): ResourceEndpoint | undefined {
  const writeKey = part(SETTINGS, path)
  return writeKey === undefined ? undefined : { kind: 'settings', writeKey, isCustom: false }
}

function resourceAt(path: string): ResourceEndpoint | undefined {
  const writeKey = part(LIBRARY, path)
  if (writeKey !== undefined) return { kind: 'library', writeKey, isCustom: false }
  const file = part(BUNDLE, path)
  if (file !== undefined) return { kind: 'bundle', file }
  const integration = part(INTEGRATION, path)
  if (integration !== undefined) return { kind: 'integration', path: integration }
  const shown = part(SNIPPET, path)
  return shown === undefined ? undefined : { kind: 'snippet', writeKey: shown }
}

function customAt(path: string): Endpoint | undefined {
  const intake = INTAKE.get(path.slice(1))
  if (intake !== undefined) return intake
  const settings = part(CUSTOM_SETTINGS, path)
  if (settings !== undefined) return { kind: 'settings', writeKey: settings, isCustom: true }
  const file = part(CUSTOM_BUNDLE, path)
  if (file !== undefined) return { kind: 'bundle', file }
  const integration = part(INTEGRATION, path)
  if (integration !== undefined) return { kind: 'integration', path: integration }
  const writeKey = part(CUSTOM_LIBRARY, path)
  return writeKey === undefined ? undefined : { kind: 'library', writeKey, isCustom: true }
}

function at(name: string, endpoint: Unplaced<IntakeEndpoint>): IntakeEndpoint {
  return { ...endpoint, path: `/v1/${name}` }
}

/** Reads a query parameter of a URL; `undefined` if it is missing or empty. */
export function parameterOf(url: string, name: string): string | undefined {
  return new URLSearchParams(url.split('?').slice(1).join('?')).get(name) || undefined
}

type Unplaced<T> = T extends unknown ? Omit<T, 'path'> : never

/** What the group of the pattern matches, without percent-encoding. */
function part(pattern: RegExp, path: string): string | undefined {
  const [, found] = pattern.exec(path) ?? []
  if (found === undefined) return undefined
  try {
    return decodeURIComponent(found)
  } catch {
    return undefined
  }
}
