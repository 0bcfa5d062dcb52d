import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ResourceEndpoint } from '../http/endpoint.js'
import { HttpProblem } from '../http/http-problem.js'
import type { JsonObject } from '../json-object.js'
import type { BrowserSettings } from './browser-settings.js'
import { Bundles } from './bundles.js'
import { Library } from './library.js'
import type { PublicUrl } from './public-url.js'
import { renderSnippet } from './snippet.js'
import { sourceConfig } from './source-config.js'
import { sourceSettings } from './source-settings.js'
import { answerContent, type WebAnswerOptions } from './web-answer.js'
import { JSON_TYPE, type WebContent, webContent } from './web-content.js'

/** What Segment's CDN has for a source, fetched by this server. */
export interface CdnMirror {
  settings(writeKey: string): Promise<JsonObject | undefined>
  /** The same object for the same content, so that it is compressed once. */
  asset(path: string): Promise<CdnAsset | undefined>
}

export interface CdnAsset {
  readonly contentType: string
  readonly body: Buffer
}

export interface ResourceContext {
  /** `undefined` where the request does not tell: only what names no host is answered. */
  readonly url: PublicUrl | undefined
  /** The source of the endpoint's write key; of an integration, which has none, any that has a `cdn`. */
  readonly source: { readonly browser: BrowserSettings; readonly cdn?: CdnMirror | undefined } | undefined
  /** The write key by which the request names its source, if the endpoint needs one. */
  readonly writeKey?: string | undefined
  readonly customPath: string | undefined
}

/** Names with a hash in them never come to mean anything else. */
const IMMUTABLE = 'public, max-age=31536000, immutable'
/** A new version of analytics.js is out after five minutes; the parts it names must not be gone by then. */
const LIBRARY_SECONDS = 300
/** analytics.js asks on every page: a visit's pages share an answer, and a changed setting counts after a minute. */
const SETTINGS_SECONDS = 60
/** Paths of integrations have their version in them; an hour is what Segment could need to take one back. */
const INTEGRATION: WebAnswerOptions = { cacheControl: 'public, max-age=3600' }
const SOURCE_CONFIG: WebAnswerOptions = { cacheControl: `private, max-age=${SETTINGS_SECONDS}` }
/** SECURITY: shown to people as a text, never run, framed or kept. */
const SNIPPET: WebAnswerOptions = {
  cacheControl: 'no-store',
  headers: { 'Content-Security-Policy': "default-src 'none'", 'X-Frame-Options': 'DENY' },
}

/** Answers what browsers and phones load before they send anything. */
export class Resources {
  readonly #library: Library
  readonly #bundles: Bundles
  readonly #assets = new WeakMap<CdnAsset, Promise<WebContent>>()

  constructor(library = new Library(), bundles = new Bundles()) {
    this.#library = library
    this.#bundles = bundles
  }

  /** For GET and HEAD. @throws HttpProblem with the answer to give */
  async answer(
    req: IncomingMessage,
    res: ServerResponse,
    endpoint: ResourceEndpoint,
    context: ResourceContext,
  ): Promise<void> {
    const [content, options] = await this.#contentOf(endpoint, context)
    // The write key may come in this header rather than in the URL.
    if (endpoint.kind === 'sourceConfig') res.appendHeader('Vary', 'Authorization')
    if (content === undefined) throw new HttpProblem(404, 'not_found', 'There is nothing at this path')
    answerContent(req, res, content, options)
  }

  async #contentOf(
    endpoint: ResourceEndpoint,
    context: ResourceContext,
  ): Promise<readonly [WebContent | undefined, WebAnswerOptions]> {
    switch (endpoint.kind) {
      case 'bundle':
        return [await this.#bundles.content(endpoint.file), { cacheControl: IMMUTABLE }]
      case 'integration':
        return [await this.#integration(endpoint.path, context), INTEGRATION]
      case 'library': {
        const { url } = known(context)
        const customPath = customPathOf(endpoint, context)
        const content = await this.#library.content({ writeKey: endpoint.writeKey, url, customPath })
        return [content, cachedFor(LIBRARY_SECONDS, url)]
      }
      case 'settings':
        return [await settingsContent(endpoint, context), cachedFor(SETTINGS_SECONDS, known(context).url)]
      case 'sourceConfig':
        return [await sourceConfigContent(context), SOURCE_CONFIG]
      case 'snippet':
        return [await snippetContent(endpoint.writeKey, context), SNIPPET]
    }
  }

  async #integration(path: string, { source }: ResourceContext): Promise<WebContent | undefined> {
    const asset = await source?.cdn?.asset(path)
    if (asset === undefined) return undefined
    const made = this.#assets.get(asset) ?? webContent(asset.contentType, asset.body)
    this.#assets.set(asset, made)
    return made
  }
}

/** What was asked for below the custom path leads on to what stands there. */
function customPathOf({ isCustom }: { readonly isCustom: boolean }, { customPath }: ResourceContext) {
  return isCustom ? customPath : undefined
}

async function settingsContent(
  endpoint: Extract<ResourceEndpoint, { kind: 'settings' }>,
  context: ResourceContext,
): Promise<WebContent> {
  const { url, source } = known(context)
  const { writeKey } = endpoint
  const upstream = await source.cdn?.settings(writeKey)
  const settings = sourceSettings({
    writeKey,
    url,
    customPath: customPathOf(endpoint, context),
    browser: source.browser,
    upstream,
  })
  return webContent(JSON_TYPE, Buffer.from(JSON.stringify(settings)))
}

async function sourceConfigContent({ writeKey }: ResourceContext): Promise<WebContent | undefined> {
  if (writeKey === undefined) return undefined
  return webContent(JSON_TYPE, Buffer.from(JSON.stringify(sourceConfig(writeKey))))
}

async function snippetContent(writeKey: string, context: ResourceContext): Promise<WebContent> {
  const { url } = known(context)
  const html = await renderSnippet({ writeKey, url, customPath: context.customPath })
  return webContent('text/plain; charset=utf-8', Buffer.from(html))
}

function known({ url, source }: ResourceContext) {
  if (source === undefined) throw new HttpProblem(404, 'invalid_write_key', 'The write key is not known here')
  if (url === undefined)
    throw new HttpProblem(400, 'invalid_host', 'The Host header is not one of a web server')
  return { url, source }
}

/**
 * SECURITY: what has a host of the asker's choice in it is for the asker's own cache. A cache that many share could
 * hand it to the pages of others.
 */
function cachedFor(seconds: number, { isConfigured }: PublicUrl): WebAnswerOptions {
  return { cacheControl: `${isConfigured ? 'public' : 'private'}, max-age=${seconds}` }
}
