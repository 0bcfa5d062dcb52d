import type { IncomingMessage, ServerResponse } from 'node:http'
import Negotiator from 'negotiator'
import type { WebContent } from './web-content.js'

export interface WebAnswerOptions {
  readonly cacheControl: string
  /** Besides those that every answer has. */
  readonly headers?: Readonly<Record<string, string>>
}

const HEADERS = {
  // SECURITY: what is served as data or text must not be taken for a script or a page.
  'X-Content-Type-Options': 'nosniff',
  // Pages of every origin load this, those that are isolated (COEP) too.
  'Cross-Origin-Resource-Policy': 'cross-origin',
}

/** Answers a GET or HEAD: whole, gzipped where that is welcome, or with 304 where the asker has it already. */
export function answerContent(
  req: IncomingMessage,
  res: ServerResponse,
  content: WebContent,
  { cacheControl, headers = {} }: WebAnswerOptions,
): void {
  if (res.headersSent || res.destroyed) return
  const gzipped = acceptsGzip(req) ? content.gzipped : undefined
  // A strong tag names bytes, so that each encoding has its own.
  const etag = gzipped === undefined ? `"${content.etag}"` : `"${content.etag}-gzip"`
  // Appended: CORS may have set its own.
  res.appendHeader('Vary', 'Accept-Encoding')
  const always = { ...HEADERS, ...headers, ETag: etag, 'Cache-Control': cacheControl }
  if (isKnown(req, etag)) {
    res.writeHead(304, always).end()
    return
  }
  const body = gzipped ?? content.body
  res.writeHead(200, {
    ...always,
    'Content-Type': content.contentType,
    'Content-Length': body.length,
    ...(gzipped !== undefined && { 'Content-Encoding': 'gzip' }),
  })
  if (req.method === 'HEAD') res.end()
  else res.end(body)
}

function acceptsGzip(req: IncomingMessage): boolean {
  return new Negotiator(req).encoding(['gzip', 'identity']) === 'gzip'
}

/** If-None-Match compares weakly: proxies that compress on their own weaken tags. */
function isKnown(req: IncomingMessage, etag: string): boolean {
  const given = req.headers['if-none-match']
  if (given === undefined) return false
  return given.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag)
}
