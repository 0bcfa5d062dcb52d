/** The types of Segment's spec. */
export const EVENT_TYPES = ['track', 'page', 'screen', 'identify', 'group', 'alias'] as const

export type EventType = (typeof EVENT_TYPES)[number]

/** What a path takes: one event of a type, a batch of any, or telemetry of an SDK about itself. */
export type Endpoint =
  | { readonly kind: 'event'; readonly type: EventType }
  | { readonly kind: 'batch' }
  | { readonly kind: 'telemetry' }

const SHORT_PATHS: Readonly<Record<EventType, string>> = {
  track: 't',
  page: 'p',
  screen: 's',
  identify: 'i',
  group: 'g',
  alias: 'a',
}

const ENDPOINTS: ReadonlyMap<string, Endpoint> = new Map<string, Endpoint>([
  ...['/v1/batch', '/v1/b', '/v1/import'].map((path) => [path, { kind: 'batch' }] as const),
  ...EVENT_TYPES.flatMap((type) =>
    [`/v1/${type}`, `/v1/${SHORT_PATHS[type]}`].map((path) => [path, { kind: 'event', type }] as const),
  ),
  ['/v1/m', { kind: 'telemetry' }],
])

/** The endpoint of a request, `unknown` where there is none under `/v1`, `elsewhere` for all other paths. */
export function endpointOf(url: string): Endpoint | 'unknown' | 'elsewhere' {
  const [path = ''] = url.split('?', 1)
  const endpoint = ENDPOINTS.get(path.endsWith('/') ? path.slice(0, -1) : path)
  if (endpoint !== undefined) return endpoint
  return path === '/v1' || path.startsWith('/v1/') ? 'unknown' : 'elsewhere'
}
