import { LRUCache } from 'lru-cache'
import { once } from '../once.js'
import { type LibraryTemplate, type LibraryValues, loadLibraryTemplate } from './library-template.js'
import { apiHostOf, baseOf, type PublicUrl } from './public-url.js'
import { JAVASCRIPT, type WebContent, webContent } from './web-content.js'

/** Each is some 150 KB. SECURITY: whoever asks may choose the host, so that there is no end of them. */
const MAX_CACHED = 50

export interface LibraryRequest {
  readonly writeKey: string
  readonly url: PublicUrl
  /** Where all that it asks for stands, if not under Segment's paths: blockers know those. */
  readonly customPath: string | undefined
}

/** analytics.js, set to ask nobody but this server. Nothing is read before it is asked for. */
export class Library {
  readonly #template: () => Promise<LibraryTemplate>
  readonly #cache = new LRUCache<string, Promise<WebContent>>({ max: MAX_CACHED })

  constructor(load: () => Promise<LibraryTemplate> = () => loadLibraryTemplate()) {
    this.#template = once(load)
  }

  /** @throws Error that names the version of the installed package where that has another text than expected */
  content(request: LibraryRequest): Promise<WebContent> {
    const values = valuesOf(request)
    const key = JSON.stringify(values)
    const cached = this.#cache.get(key)
    if (cached !== undefined) return cached
    const made = this.#make(values)
    this.#cache.set(key, made)
    made.catch(() => this.#cache.delete(key))
    return made
  }

  async #make(values: LibraryValues): Promise<WebContent> {
    const template = await this.#template()
    return webContent(JAVASCRIPT, Buffer.from(template.with(values)))
  }
}

function valuesOf({ writeKey, url, customPath }: LibraryRequest): LibraryValues {
  return {
    writeKey,
    protocol: url.protocol,
    cdn: `${baseOf(url)}${customPath ?? ''}`,
    apiHost: apiHostOf(url, customPath),
    projectsPath: customPath === undefined ? '/v1/projects/' : '/c/',
    bundlesPath: customPath === undefined ? '/analytics-next/bundles/' : '/b/',
    namesBundles: customPath === undefined,
  }
}
