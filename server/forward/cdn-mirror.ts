import type { Clock } from '../../plugin/clock.js'
import { guarded, type Logger } from '../../plugin/logger.js'
import { isJsonObject, type JsonObject } from '../json-object.js'
import { MinuteNotices } from '../minute-notices.js'
import { type BoundedResponse, boundedFetch, nameOfFailure } from './bounded-fetch.js'
import { type Loaded, UpstreamCache } from './upstream-cache.js'

const TIMEOUT_MS = 3000
const SETTINGS = {
  fresh: 5 * 60_000,
  maxEntries: 1000,
  // Of JSON: parsed it takes some times that.
  maxBytes: 16 * 1024 * 1024,
  maxLoads: 32,
}
const MAX_SETTINGS_BYTES = 1024 * 1024
const ASSETS = {
  fresh: 60 * 60_000,
  maxEntries: 10_000,
  maxBytes: 32 * 1024 * 1024,
  maxLoads: 32,
}
const MAX_ASSET_BYTES = 5 * 1024 * 1024

/** Names longer than this are none that Segment has. */
const MAX_PATH_LENGTH = 512
/** SECURITY: no `%`, so that no encoding can hide a dot or a slash, and no backslash, which URLs take for a slash. */
const ASSET_PATH = /^\/next-integrations\/[\w./@-]+$/
/** SECURITY: a page of HTML, as of an error, must never be served from our own origin. */
const ASSET_TYPES: readonly string[] = [
  'application/javascript',
  'application/x-javascript',
  'text/javascript',
  'application/json',
  'application/source-map',
  'application/x-source-map',
]

export interface CdnMirrorOptions {
  /** `https://cdn.segment.com` */
  readonly url: string
  readonly clock: Clock
  readonly logger: Logger
  /** @default the global one */
  readonly fetch?: typeof fetch
}

export interface CdnAsset {
  readonly contentType: string
  /** Inflated. */
  readonly body: Buffer
}

/** What Segment's CDN serves to browsers, kept for a while. All of it is shared: callers must not change it. */
export class CdnMirror {
  readonly #options: CdnMirrorOptions
  readonly #base: string
  readonly #notices: MinuteNotices
  readonly #settings: UpstreamCache<JsonObject>
  readonly #assets: UpstreamCache<CdnAsset>

  /** @throws TypeError where `url` is none */
  constructor(options: CdnMirrorOptions) {
    const { clock, logger, url } = options
    this.#options = options
    this.#base = new URL(url).href.replace(/\/$/, '')
    this.#notices = new MinuteNotices(guarded(logger), clock)
    this.#settings = new UpstreamCache({ ...SETTINGS, clock, load: (path) => this.#loadSettings(path) })
    this.#assets = new UpstreamCache({ ...ASSETS, clock, load: (path) => this.#loadAsset(path) })
  }

  /**
   * A source's settings, `undefined` where they cannot be had. Never rejects.
   *
   * @param writeKey - a known one: each unknown one is asked for
   */
  async settings(writeKey: string): Promise<JsonObject | undefined> {
    const path = settingsPath(writeKey)
    return path === undefined ? undefined : this.#settings.get(path)
  }

  /** A file of a device-mode integration, `undefined` where it cannot be had. Never rejects. */
  async asset(path: string): Promise<CdnAsset | undefined> {
    return isAssetPath(path) ? this.#assets.get(path) : undefined
  }

  async #loadSettings(path: string): Promise<Loaded<JsonObject> | undefined> {
    const body = (await this.#get('Settings', path, MAX_SETTINGS_BYTES))?.body
    if (body === undefined) return undefined
    const value = jsonObject(body)
    if (value === undefined) return this.#noteFailure('Settings', 'no JSON object')
    return { value, bytes: body.length }
  }

  async #loadAsset(path: string): Promise<Loaded<CdnAsset> | undefined> {
    const answer = await this.#get('A file', path, MAX_ASSET_BYTES)
    if (answer === undefined) return undefined
    const { body, headers } = answer
    const contentType = headers.get('content-type') ?? ''
    const [type = ''] = contentType.split(';', 1)
    if (!ASSET_TYPES.includes(type.trim().toLowerCase())) {
      return this.#noteFailure('A file', 'another Content-Type than of JavaScript and JSON')
    }
    return { value: { contentType, body }, bytes: body.length }
  }

  async #get(what: string, path: string, maxBytes: number) {
    const { clock, fetch = globalThis.fetch } = this.#options
    try {
      const limits = { fetch, clock, timeoutMs: TIMEOUT_MS, maxBytes }
      const answer = await boundedFetch(`${this.#base}${path}`, {}, limits)
      return isWhole(answer) ? answer : this.#noteFailure(what, reasonOf(answer))
    } catch (error) {
      return this.#noteFailure(what, nameOfFailure(error))
    }
  }

  /** SECURITY: tells no path, which has the write key, or whatever a stranger asked for. */
  #noteFailure(what: string, reason: string): undefined {
    const wording = (count: number) =>
      `${what} of Segment's CDN could not be had, ${count} time(s): ${reason}`
    this.#notices.note(`${what} ${reason}`, wording)
  }
}

function settingsPath(writeKey: string): string | undefined {
  // SECURITY: a URL takes these for steps, to another path.
  if (/^\.{0,2}$/.test(writeKey)) return undefined
  try {
    return `/v1/projects/${encodeURIComponent(writeKey)}/settings`
  } catch {
    // Half of a surrogate pair.
    return undefined
  }
}

function isAssetPath(path: string): boolean {
  if (path.length > MAX_PATH_LENGTH || !ASSET_PATH.test(path)) return false
  // SECURITY: neither `//`, nor steps to another path.
  return path
    .slice(1)
    .split('/')
    .every((segment) => !['', '.', '..'].includes(segment))
}

function isWhole(answer: BoundedResponse): answer is BoundedResponse & { readonly body: Buffer } {
  return answer.status === 200 && answer.body !== undefined
}

function reasonOf({ status }: BoundedResponse): string {
  return status === 200 ? 'its body is too large or broke off' : `status ${status}`
}

function jsonObject(body: Buffer): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'))
    return isJsonObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
