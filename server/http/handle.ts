import type { IncomingMessage } from 'node:http'
import type { Source } from '../source.js'
import type { Sources } from '../sources.js'
import { publicUrlOf } from '../web/public-url.js'
import type { Resources } from '../web/resources.js'
import { answerSuccess } from './answer.js'
import { isTrustedPeer } from './client-address.js'
import { setCorsHeaders } from './cors.js'
import { drain } from './drain.js'
import type { Endpoint, ResourceEndpoint } from './endpoint.js'
import { acceptBody, acceptPixel, type EventsContext } from './events-request.js'
import { type Answer, type Exchange, setHeaders } from './exchange.js'
import { HttpProblem, unauthorized } from './http-problem.js'
import { answerPixel } from './pixel.js'
import type { UntrustedProxyNotice } from './untrusted-proxy-notice.js'
import { type NamedSource, sourceNamedIn, sourceWithKey } from './write-key.js'

export interface HandlingContext extends EventsContext {
  /** Loaded when a browser first asks. */
  readonly resources: () => Promise<Resources>
  readonly untrustedProxy: UntrustedProxyNotice
}

/**
 * Does what a request asks for, and tells how to answer it.
 *
 * @throws HttpProblem with the answer to give instead
 */
export async function handle(exchange: Exchange, context: HandlingContext): Promise<Answer> {
  const { endpoint, req, res, hint } = exchange
  setCorsHeaders(exchange)
  if (typeof endpoint === 'string') throw notFound(hint)
  const methods = METHODS[endpoint.kind]
  if (req.method === 'OPTIONS') {
    res.setHeader('Allow', [...methods, 'OPTIONS'].join(', '))
    return answerOptions
  }
  if (!methods.includes(req.method ?? '')) {
    const allow = methods.join(', ')
    throw new HttpProblem(405, 'method_not_allowed', `This path takes ${allow} only`, { Allow: allow })
  }
  switch (endpoint.kind) {
    case 'event':
    case 'batch':
      await acceptBody(exchange, endpoint, context)
      return success
    case 'telemetry':
      void drain(req)
      return success
    case 'pixel':
      // Who only asks what is there, as image proxies do, has not shown it to anyone.
      if (req.method === 'GET') await acceptPixel(exchange, endpoint, context)
      return (exchange) => {
        setHeaders(exchange)
        answerPixel(exchange.res, 200)
      }
    default:
      return resource(exchange, endpoint, context)
  }
}

function notFound(hint: string | undefined): HttpProblem {
  if (hint === undefined) return new HttpProblem(404, 'not_found', 'There is nothing at this path')
  return new HttpProblem(404, 'wrong_path', `There is nothing at this path: ${hint}`)
}

const READ = ['GET', 'HEAD']

const METHODS: Readonly<Record<Endpoint['kind'], readonly string[]>> = {
  event: ['POST'],
  batch: ['POST'],
  telemetry: ['POST'],
  pixel: READ,
  settings: READ,
  sourceConfig: READ,
  library: READ,
  bundle: READ,
  integration: READ,
  snippet: READ,
}

const success: Answer = ({ res, headers }) => answerSuccess(res, headers)

const answerOptions: Answer = (exchange) => {
  const { res } = exchange
  setHeaders(exchange)
  // Safari waits for a body without a Content-Length, 204 or not.
  res.writeHead(204, { 'Content-Length': '0' })
  res.end()
}

/** @throws HttpProblem 401 where it names a write key that is none of ours, or that of a source switched off */
function resource(exchange: Exchange, endpoint: ResourceEndpoint, context: HandlingContext): Answer {
  const { req, res, site, seen } = exchange
  const named = namedIn(endpoint, exchange)
  seen.source = named?.source.name
  const source = named?.source ?? cdnFor(endpoint, site.sources)
  if (site.publicUrl === undefined && !isTrustedPeer(req, site.trust)) context.untrustedProxy.note(req)
  const url = publicUrlOf(req, { configured: site.publicUrl, trust: site.trust })
  return async () => {
    setHeaders(exchange)
    const resources = await context.resources()
    const { customPath } = site
    await resources.answer(req, res, endpoint, { url, source, writeKey: named?.writeKey, customPath })
  }
}

/** Finds the source that the request names; `undefined` if the endpoint needs none. @throws HttpProblem 401 */
function namedIn(endpoint: ResourceEndpoint, { req, site }: Exchange): NamedSource | undefined {
  const named = lookedUp(endpoint, req, site.sources)
  if (named !== undefined && !named.source.enabled) {
    throw new HttpProblem(401, 'source_disabled', 'The source is switched off')
  }
  return named
}

function lookedUp(endpoint: ResourceEndpoint, req: IncomingMessage, sources: Sources) {
  if (endpoint.kind === 'sourceConfig') {
    const named = sourceNamedIn(req, sources, endpoint.keyInUrl)
    if (named === undefined)
      throw unauthorized('There is no known write key; give it as `writeKey` in the URL')
    return named
  }
  if (!('writeKey' in endpoint)) return undefined
  const { writeKey } = endpoint
  return { source: sourceWithKey(sources, writeKey), writeKey }
}

/** Finds a source with a CDN. Any will do, as the code of browser destinations is the same for all sources. */
function cdnFor(endpoint: ResourceEndpoint, sources: Sources): Source | undefined {
  if (endpoint.kind !== 'integration') return undefined
  return sources.all.find(({ enabled, cdn }) => enabled && cdn !== undefined)
}
