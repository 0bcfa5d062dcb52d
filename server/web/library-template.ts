import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type AnalyticsPackage, findAnalyticsPackage } from './analytics-package.js'
import { stringLiteral } from './script-text.js'

/** What is set in analytics.js. */
export interface LibraryValues {
  readonly writeKey: string
  readonly protocol: 'http' | 'https'
  /** What stands in for `https://cdn.segment.com`. */
  readonly cdn: string
  /** What stands in for `api.segment.io/v1`. */
  readonly apiHost: string
  /** `/v1/projects/` or what stands in for it. */
  readonly projectsPath: string
  /** `/analytics-next/bundles/` or what stands in for it. */
  readonly bundlesPath: string
  /** Whether the parts are asked for by their names, such as `auto-track`, or by their hashes alone. */
  readonly namesBundles: boolean
}

interface Place {
  /** Found in the package's file this often: no more, no less. */
  readonly text: string
  readonly times: number
  readonly set: (values: LibraryValues) => string
}

const PLACES: readonly Place[] = [
  { text: '"__WRITE_KEY__"', times: 1, set: ({ writeKey }) => stringLiteral(writeKey) },
  { text: '"https://cdn.segment.com"', times: 1, set: ({ cdn }) => stringLiteral(cdn) },
  {
    text: '"https://cdn.segment.com/analytics.js/v1/"',
    times: 1,
    set: ({ cdn }) => stringLiteral(`${cdn}/analytics.js/v1/`),
  },
  {
    text: '"https://cdn.segment.com/analytics-next/bundles/"',
    times: 1,
    set: ({ cdn, bundlesPath }) => stringLiteral(cdn + bundlesPath),
  },
  { text: '"/analytics-next/bundles/"', times: 1, set: ({ bundlesPath }) => stringLiteral(bundlesPath) },
  {
    text: '[t]||t)+".bundle."+{',
    times: 1,
    set: ({ namesBundles }) => (namesBundles ? '[t]||t)+".bundle."+{' : '[t],"")+{'),
  },
  { text: '"/v1/projects/"', times: 1, set: ({ projectsPath }) => stringLiteral(projectsPath) },
  { text: '"api.segment.io/v1"', times: 1, set: ({ apiHost }) => stringLiteral(apiHost) },
  // The protocols of telemetry, of batches and of single events, where nothing sets them.
  { text: '"https"', times: 3, set: ({ protocol }) => stringLiteral(protocol) },
  // By this it finds its CDN in the page's script tags: only https ones, and those of another analytics.js too.
  // A pattern that matches nothing leaves `analytics._cdn`, where the page sets it, and then what is set here.
  {
    text: String.raw`/(https:\/\/.*)\/analytics\.js\/v1\/(?:.*?)\/(?:platform|analytics.*)?/`,
    times: 1,
    set: () => '/(?!)/',
  },
  // The map fits the file as it was.
  { text: '\n//# sourceMappingURL=standalone.js.map', times: 1, set: () => '' },
]

/** All of Segment's that may be left is a pattern, by which URLs of plugins are led to the CDN that is set. */
const SEGMENT_HOST = /https:\/\/cdn\.segment\.com|api\.segment\.io|segmentapis\.com/

const EXAMPLE: LibraryValues = {
  writeKey: 'key',
  protocol: 'https',
  cdn: 'https://host',
  apiHost: 'host/v1',
  projectsPath: '/v1/projects/',
  bundlesPath: '/analytics-next/bundles/',
  namesBundles: true,
}

/** analytics.js as its package has it, with the places where values are set. */
export class LibraryTemplate {
  readonly #text: string

  /** @throws Error where analytics.js has not each place as often as it should, or names another host of Segment's */
  constructor(text: string, version: string) {
    this.#text = text
    for (const place of PLACES) {
      const times = text.split(place.text).length - 1
      if (times === place.times) continue
      throw misfit(version, `has ${place.text.trim()} ${times} times, not ${place.times}`)
    }
    const [host] = SEGMENT_HOST.exec(this.with(EXAMPLE)) ?? []
    if (host !== undefined) throw misfit(version, `has ${host} in a place that is not known`)
  }

  /** All places are found in one pass, so that no value is taken for a place. */
  with(values: LibraryValues): string {
    return this.#text.replace(ANY_PLACE, (text) => BY_TEXT.get(text)?.set(values) ?? text)
  }
}

export async function loadLibraryTemplate(
  find: () => Promise<AnalyticsPackage> = findAnalyticsPackage,
): Promise<LibraryTemplate> {
  const { version, folder } = await find()
  return new LibraryTemplate(await readFile(join(folder, 'standalone.js'), 'utf8'), version)
}

const BY_TEXT: ReadonlyMap<string, Place> = new Map(PLACES.map((place) => [place.text, place]))
const ANY_PLACE = new RegExp(
  PLACES.map(({ text }) => text.replace(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`)).join('|'),
  'g',
)

function misfit(version: string, what: string): Error {
  return new Error(
    `analytics.js of @segment/analytics-next ${version} cannot be served from here: it ${what}. Install the version that this package depends on`,
  )
}
